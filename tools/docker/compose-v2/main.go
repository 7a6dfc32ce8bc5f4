// Reads a compose file as `docker compose` v2 does, by its own library, and says what is wrong with it. Every profile counts.
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/compose-spec/compose-go/v2/cli"
)

func main() {
	services, err := services(os.Args[1:])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Printf("valid for docker compose v2: %d services\n", services)
}

func services(files []string) (int, error) {
	options, err := cli.NewProjectOptions(files, cli.WithName("milena"), cli.WithProfiles([]string{"*"}), cli.WithOsEnv)
	if err != nil {
		return 0, err
	}
	project, err := options.LoadProject(context.Background())
	if err != nil {
		return 0, err
	}
	return len(project.Services), nil
}
