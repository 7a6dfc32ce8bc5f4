package main

import (
	"fmt"
	"regexp"
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	admission "k8s.io/pod-security-admission/api"
	podsecurity "k8s.io/pod-security-admission/policy"
)

// What no validation of a single object finds: names that lead nowhere, and what would only be noticed when pods run.
func checkTogether(objects []object) []error {
	var wrong []error
	say := func(object object, format string, arguments ...any) {
		wrong = append(wrong, fmt.Errorf("  %s: "+format, append([]any{object.name}, arguments...)...))
	}
	sets := statefulSets(objects)
	for _, object := range objects {
		switch it := object.typed.(type) {
		case *appsv1.StatefulSet:
			for _, complaint := range checkStatefulSet(it, objects) {
				say(object, "%s", complaint)
			}
		case *corev1.Service:
			if !selectsAny(labels.SelectorFromSet(withoutOrdinal(it.Spec.Selector)), sets) {
				say(object, "its selector finds no pod")
			}
		case *policyv1.PodDisruptionBudget:
			selector, err := metav1.LabelSelectorAsSelector(it.Spec.Selector)
			if err != nil || !selectsAny(selector, sets) {
				say(object, "its selector finds no pod")
			}
		}
	}
	return wrong
}

func checkStatefulSet(set *appsv1.StatefulSet, objects []object) []string {
	var wrong []string
	template := &set.Spec.Template
	for _, result := range restricted.EvaluatePod(latestRestricted, &template.ObjectMeta, &template.Spec) {
		if !result.Allowed {
			wrong = append(wrong, "pod security: "+result.ForbiddenReason+": "+result.ForbiddenDetail)
		}
	}
	for _, container := range template.Spec.Containers {
		wrong = append(wrong, checkVariables(container)...)
	}
	needs := map[string]string{"ServiceAccount": template.Spec.ServiceAccountName, "Service": set.Spec.ServiceName}
	for _, volume := range template.Spec.Volumes {
		if volume.ConfigMap != nil {
			needs["ConfigMap"] = volume.ConfigMap.Name
		}
	}
	for kind, name := range needs {
		if !slices.ContainsFunc(objects, func(it object) bool { return it.name == kind+" "+name }) {
			wrong = append(wrong, fmt.Sprintf("there is no %s %s", kind, name))
		}
	}
	if *template.Spec.EnableServiceLinks && set.Name != "etcd" {
		wrong = append(wrong, "enableServiceLinks must be false: the variables would be read as keys")
	}
	return wrong
}

var reference = regexp.MustCompile(`\$\(([A-Za-z0-9_]+)\)`)

// $(NAME) stands for a variable that comes before; one that comes later, or never, is left as it is written.
func checkVariables(container corev1.Container) []string {
	var wrong []string
	known := map[string]bool{}
	check := func(where, text string) {
		for _, match := range reference.FindAllStringSubmatch(text, -1) {
			if !known[match[1]] {
				wrong = append(wrong, fmt.Sprintf("%s: $(%s) is not set before it", where, match[1]))
			}
		}
	}
	for _, variable := range container.Env {
		check(variable.Name, variable.Value)
		known[variable.Name] = true
	}
	for _, text := range slices.Concat(container.Command, container.Args) {
		check("the command", text)
	}
	return wrong
}

var restricted = mustEvaluator()
var latestRestricted = admission.LevelVersion{Level: admission.LevelRestricted, Version: admission.LatestVersion()}

func mustEvaluator() podsecurity.Evaluator {
	evaluator, err := podsecurity.NewEvaluator(podsecurity.DefaultChecks())
	if err != nil {
		panic(err)
	}
	return evaluator
}

func statefulSets(objects []object) []*appsv1.StatefulSet {
	var found []*appsv1.StatefulSet
	for _, object := range objects {
		if set, ok := object.typed.(*appsv1.StatefulSet); ok {
			found = append(found, set)
		}
	}
	return found
}

func selectsAny(selector labels.Selector, sets []*appsv1.StatefulSet) bool {
	return slices.ContainsFunc(sets, func(set *appsv1.StatefulSet) bool {
		return selector.Matches(labels.Set(set.Spec.Template.Labels))
	})
}

// A pod has its ordinal from the StatefulSet's controller.
func withoutOrdinal(selector map[string]string) map[string]string {
	rest := map[string]string{}
	for key, value := range selector {
		if key != appsv1.PodIndexLabel {
			rest[key] = value
		}
	}
	return rest
}
