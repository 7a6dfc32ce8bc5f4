package main

import (
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
)

const root = "../../.."

func brokers(t *testing.T, objects []object) *appsv1.StatefulSet {
	t.Helper()
	for _, object := range objects {
		if set, ok := object.typed.(*appsv1.StatefulSet); ok && set.Name == "broker" {
			return set
		}
	}
	t.Fatal("there are no brokers")
	return nil
}

func TestEveryKustomizationIsValid(t *testing.T) {
	if err := validateAll(root); err != nil {
		t.Fatal(err)
	}
}

func TestABaseThatIsSpoiltIsRefused(t *testing.T) {
	container := func(set *appsv1.StatefulSet) *corev1.Container { return &set.Spec.Template.Spec.Containers[0] }
	cases := map[string]struct {
		spoil func(*appsv1.StatefulSet)
		words string
	}{
		"a selector that finds other pods": {
			func(set *appsv1.StatefulSet) { set.Spec.Selector.MatchLabels["app.kubernetes.io/component"] = "etcd" },
			"`selector` does not match template `labels`",
		},
		"a probe at a port that has no name": {
			func(set *appsv1.StatefulSet) { container(set).LivenessProbe.HTTPGet.Port.StrVal = "no port's name" },
			"livenessProbe.httpGet.port",
		},
		"a root file system that is written to by root": {
			func(set *appsv1.StatefulSet) { set.Spec.Template.Spec.SecurityContext.RunAsNonRoot = nil },
			"runAsNonRoot != true",
		},
		"a variable that is used before it is set": {
			func(set *appsv1.StatefulSet) {
				used := corev1.EnvVar{Name: "KAFKA_BROKER_RACK", Value: "$(POD_NAME)"}
				container(set).Env = append([]corev1.EnvVar{used}, container(set).Env...)
			},
			"$(POD_NAME) is not set before it",
		},
		"a configuration that is not there": {
			func(set *appsv1.StatefulSet) { set.Spec.Template.Spec.Volumes[0].ConfigMap.Name = "other" },
			"there is no ConfigMap other",
		},
		"pods that no service finds": {
			func(set *appsv1.StatefulSet) { set.Spec.Template.Labels["app.kubernetes.io/component"] = "other" },
			"Service kafka: its selector finds no pod",
		},
	}
	for name, it := range cases {
		t.Run(name, func(t *testing.T) {
			objects, err := build(root + "/deploy/kubernetes/base")
			if err != nil {
				t.Fatal(err)
			}
			it.spoil(brokers(t, objects))
			err = validateObjects(objects)
			if err == nil || !strings.Contains(err.Error(), it.words) {
				t.Fatalf("%q is missing in: %v", it.words, err)
			}
		})
	}
}

func TestAFieldThatIsUnknownOrStandsTwiceIsRefused(t *testing.T) {
	const service = "apiVersion: v1\nkind: Service\nmetadata:\n  name: kafka\nspec:\n"
	for text, word := range map[string]string{
		"  publishNotReady: true\n":                               `unknown field "spec.publishNotReady"`,
		"  type: ClusterIP\n  type: NodePort\n":                   "already set",
		"  ports:\n    - port: kafka\n":                           "cannot unmarshal string",
		"  publishNotReadyAddresses: true\n  clusterIP: [None]\n": "clusterIP",
	} {
		if _, err := decode([]byte(service + text)); err == nil || !strings.Contains(err.Error(), word) {
			t.Errorf("%q is missing in: %v", word, err)
		}
	}
}
