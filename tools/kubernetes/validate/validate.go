package main

import (
	"context"
	"errors"
	"fmt"

	monitoring "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/kubernetes/pkg/api/legacyscheme"
	podapi "k8s.io/kubernetes/pkg/api/pod"
	serviceapi "k8s.io/kubernetes/pkg/api/service"
	"k8s.io/kubernetes/pkg/apis/apps"
	appsvalidation "k8s.io/kubernetes/pkg/apis/apps/validation"
	"k8s.io/kubernetes/pkg/apis/core"
	corevalidation "k8s.io/kubernetes/pkg/apis/core/validation"
	"k8s.io/kubernetes/pkg/apis/networking"
	networkingvalidation "k8s.io/kubernetes/pkg/apis/networking/validation"
	"k8s.io/kubernetes/pkg/apis/policy"
	policyvalidation "k8s.io/kubernetes/pkg/apis/policy/validation"
)

// Everything that is wrong with the objects of one kustomization, each by itself and all together.
func validateObjects(objects []object) error {
	var wrong []error
	for _, object := range objects {
		if err := validateObject(object.typed); err != nil {
			wrong = append(wrong, fmt.Errorf("  %s: %w", object.name, err))
		}
	}
	return errors.Join(append(wrong, checkTogether(objects)...)...)
}

// What the API server says of one object; a warning is as bad as an error.
func validateObject(typed runtime.Object) error {
	switch typed.(type) {
	case *monitoring.ServiceMonitor, *monitoring.PrometheusRule:
		return nil // the schema is all that its operator publishes
	}
	internal, err := legacyscheme.Scheme.ConvertToVersion(typed, runtime.InternalGroupVersioner)
	if err != nil {
		return err
	}
	wrong, warnings, err := apiServer(internal)
	if err != nil {
		return err
	}
	for _, warning := range warnings {
		wrong = append(wrong, field.Forbidden(nil, "warning: "+warning))
	}
	return wrong.ToAggregate()
}

func apiServer(internal runtime.Object) (field.ErrorList, []string, error) {
	switch it := internal.(type) {
	case *apps.StatefulSet:
		options := podapi.GetValidationOptionsFromPodTemplate(&it.Spec.Template, nil)
		warnings := podapi.GetWarningsForPodTemplate(context.Background(), field.NewPath("spec", "template"), &it.Spec.Template, nil)
		return appsvalidation.ValidateStatefulSet(it, options), warnings, nil
	case *core.Service:
		if it.Spec.ClusterIP != "" {
			it.Spec.ClusterIPs = []string{it.Spec.ClusterIP} // as the registry does before it validates
		}
		return corevalidation.ValidateServiceCreate(it), serviceapi.GetWarningsForService(it, nil), nil
	case *core.ConfigMap:
		return corevalidation.ValidateConfigMap(it), nil, nil
	case *core.Namespace:
		return corevalidation.ValidateNamespace(it), nil, nil
	case *core.ServiceAccount:
		return corevalidation.ValidateServiceAccount(it), nil, nil
	case *policy.PodDisruptionBudget:
		return policyvalidation.ValidatePodDisruptionBudget(it, policyvalidation.PodDisruptionBudgetValidationOptions{}), nil, nil
	case *networking.NetworkPolicy:
		return networkingvalidation.ValidateNetworkPolicy(it, networkingvalidation.NetworkPolicyValidationOptions{}), nil, nil
	}
	return nil, nil, fmt.Errorf("a %T is not validated yet: add it to validate.go", internal)
}
