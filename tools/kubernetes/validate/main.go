// Validates every kustomization under deploy/kubernetes: it is built as `kubectl kustomize` builds it, and each object is
// decoded strictly, filled with defaults and validated by the API server's own code. What the API server would only find out
// when pods run, or never, is checked as well: checks.go.
//
//	validate ROOT                       the tree's root; prints a line a kustomization, fails at the first that is not valid
//	validate ROOT write-prometheus-rule writes the PrometheusRule from deploy/prometheus/rules
package main

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
)

// Components are no use by themselves: they are validated in the overlays that have them.
var kustomizations = []string{"deploy/kubernetes/base", "deploy/kubernetes/overlays"}

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "validate:", err)
		os.Exit(1)
	}
}

func run(arguments []string) error {
	switch {
	case len(arguments) == 2 && arguments[1] == "write-prometheus-rule":
		return writePrometheusRule(arguments[0])
	case len(arguments) == 1:
		return validateAll(arguments[0])
	}
	return fmt.Errorf("usage: validate ROOT [write-prometheus-rule]")
}

func validateAll(root string) error {
	if err := checkPrometheusRule(root); err != nil {
		return err
	}
	roots, err := kustomizationRoots(root)
	if err != nil {
		return err
	}
	for _, path := range roots {
		objects, err := build(filepath.Join(root, path))
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		if err := validateObjects(objects); err != nil {
			return fmt.Errorf("%s:\n%w", path, err)
		}
		fmt.Printf("%s: %d objects are valid\n", path, len(objects))
	}
	return nil
}

// The base, and every overlay but the parts of one.
func kustomizationRoots(root string) ([]string, error) {
	var found []string
	for _, folder := range kustomizations {
		err := filepath.WalkDir(filepath.Join(root, folder), func(path string, entry fs.DirEntry, err error) error {
			if err != nil || entry.Name() != "kustomization.yaml" {
				return err
			}
			relative, err := filepath.Rel(root, filepath.Dir(path))
			found = append(found, relative)
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	found = slices.DeleteFunc(found, func(path string) bool {
		return slices.Contains(found, filepath.Dir(path)) || slices.Contains(found, filepath.Dir(filepath.Dir(path)))
	})
	return found, nil
}
