package android

import (
	"github.com/syncpayloads/syncpayloads/internal/fleet"
	"github.com/syncpayloads/syncpayloads/internal/platform"
)

var _ platform.Describer = Platform{}

// Describe implements platform.Describer. What manages the devices is Google's own app, which
// Google calls its device policy controller. Graph's `android` is for policies of devices that an
// older program interface manages.
func (Platform) Describe() platform.Description {
	return platform.Description{
		Name: "Android",
		Kinds: []fleet.Kind{{
			Platform:       fleet.Android,
			Types:          []fleet.ModelType{{Member: "androidEnterprise"}},
			Agent:          "googleCloudDevicePolicyController",
			PolicyPlatform: "androidForWork",
			Enrollments: []fleet.Enrollment{
				{Member: "androidEnterpriseDedicatedDevice", Title: "Dedicated device"},
				{Member: "androidEnterpriseFullyManaged", Title: "Fully managed"},
				{Member: "androidEnterpriseCorporateWorkProfile",
					Title: "Corporate-owned, with a work profile"},
				{Member: "userEnrollment", Title: "Personally-owned, with a work profile",
					Personal: true},
			},
		}},
	}
}
