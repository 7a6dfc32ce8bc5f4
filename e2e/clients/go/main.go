// A franz-go client that does what its stdin says: a JSON object a line, each answered by one on stdout. e2e/src/clients.rs
// says which there are.
//
// usage: go-client BOOTSTRAP
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"time"
)

// How long any one command may take before it is an error.
const patience = 60 * time.Second

// One command; which of its fields are set depends on what is to be done.
type command struct {
	Do       string   `json:"do"`
	Codec    string   `json:"codec"`
	Records  []record `json:"records"`
	Topics   []string `json:"topics"`
	Topic    string   `json:"topic"`
	Count    int      `json:"count"`
	Group    string   `json:"group"`
	Assignor string   `json:"assignor"`
	ID       string   `json:"id"`
}

type client struct {
	bootstrap []string
	members   map[string]*member
}

func (c *client) run(asked command) (any, error) {
	switch asked.Do {
	case "produce":
		return c.produce(asked.Codec, asked.Records)
	case "consume":
		return c.consume(asked.Topics, asked.Count)
	case "join":
		return c.join(asked.Group, asked.Topic, asked.Assignor)
	case "owned":
		return c.owned(asked.Group)
	case "leave":
		return c.leave(asked.Group)
	case "transaction":
		return c.transaction(asked.ID, asked.Topic)
	}
	return nil, fmt.Errorf("%s is not known here", asked.Do)
}

func main() {
	c := client{bootstrap: strings.Split(os.Args[1], ","), members: map[string]*member{}}
	commands := json.NewDecoder(bufio.NewReader(os.Stdin))
	answers := json.NewEncoder(os.Stdout)
	for {
		var asked command
		if err := commands.Decode(&asked); err == io.EOF {
			return
		} else if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		answer, err := c.run(asked)
		if err != nil {
			answer = map[string]string{"error": err.Error()}
		}
		if err := answers.Encode(answer); err != nil {
			os.Exit(1)
		}
	}
}
