package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"sigs.k8s.io/yaml"
)

const (
	rulesFolder        = "deploy/prometheus/rules"
	prometheusRuleFile = "deploy/kubernetes/components/prometheus-operator/prometheus-rule.yaml"
)

const head = `# Made of deploy/prometheus/rules by tools/kubernetes/write-prometheus-rule. Not to be edited.
`

func writePrometheusRule(root string) error {
	text, err := prometheusRule(root)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(root, prometheusRuleFile), text, 0o644)
}

// The operator watches by the same rules as a Prometheus of one's own.
func checkPrometheusRule(root string) error {
	expected, err := prometheusRule(root)
	if err != nil {
		return err
	}
	stands, err := os.ReadFile(filepath.Join(root, prometheusRuleFile))
	if err != nil {
		return err
	}
	if !bytes.Equal(expected, stands) {
		return fmt.Errorf("%s is not what %s says: run tools/kubernetes/write-prometheus-rule", prometheusRuleFile, rulesFolder)
	}
	return nil
}

func prometheusRule(root string) ([]byte, error) {
	files, err := filepath.Glob(filepath.Join(root, rulesFolder, "*.y*ml"))
	if err != nil {
		return nil, err
	}
	slices.Sort(files)
	groups := []any{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		var rules struct {
			Groups []any `json:"groups"`
		}
		if err := yaml.Unmarshal(text, &rules); err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		groups = append(groups, rules.Groups...)
	}
	rule := map[string]any{
		"apiVersion": "monitoring.coreos.com/v1",
		"kind":       "PrometheusRule",
		"metadata":   map[string]any{"name": "milena"},
		"spec":       map[string]any{"groups": groups},
	}
	text, err := yaml.Marshal(rule)
	return append([]byte(head), text...), err
}
