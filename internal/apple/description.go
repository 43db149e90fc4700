package apple

import (
	"github.com/syncpayloads/syncpayloads/internal/fleet"
	"github.com/syncpayloads/syncpayloads/internal/platform"
)

var _ platform.Describer = Platform{}

// Describe implements platform.Describer. Graph has no type for an Apple TV, and one platform of
// policies for all of Apple's but Macs.
func (Platform) Describe() platform.Description {
	enrollments := []fleet.Enrollment{{Member: "appleUserEnrollment", Title: "User enrollment",
		Personal: true}}
	kind := func(p fleet.Platform, policies string, types ...fleet.ModelType) fleet.Kind {
		return fleet.Kind{Platform: p, Types: types, PolicyPlatform: policies,
			Enrollments: enrollments}
	}
	return platform.Description{
		Name: "Apple",
		Kinds: []fleet.Kind{
			kind(fleet.IOS, "iOS", fleet.ModelType{Model: "iPod", Member: "iPod"},
				fleet.ModelType{Member: "iPhone"}),
			kind(fleet.IPadOS, "iOS", fleet.ModelType{Member: "iPad"}),
			kind(fleet.MacOS, "macOS", fleet.ModelType{Member: "macMDM"}),
			kind(fleet.TVOS, "iOS"),
		},
		ByLink: &platform.LinkEnrollment{
			Device: "an Apple device",
			Guides: []platform.Guide{
				{Models: "iPhone and iPad", Steps: []string{
					"Point the camera at the code and tap the link, or open the link in Safari. " +
						"Other browsers cannot install a profile.",
					"Tap *Allow*, then *Close*.",
					"Open *Settings*, tap *Profile Downloaded* at the top, then *Install*.",
				}},
				{Models: "Mac", Steps: []string{
					"Open the link in Safari, and allow the download.",
					"Open *System Settings*, then *General*, then *Device Management*. " +
						"Up to macOS 14 it is *Privacy & Security*, then *Profiles*.",
					"Double-click the profile, then *Install*. " +
						"It takes the password of an administrator of the Mac.",
				}},
				{Models: "Apple TV", Steps: []string{
					"Open *Settings*, then *General*, then *Privacy & Security*.",
					"Move to *Share Apple TV Analytics*, without choosing it, and press the " +
						"Play/Pause button of the remote. Then choose *Add Profile*.",
					"Enter the link. It is easier with the keyboard that a nearby iPhone offers: " +
						"paste the link there.",
				}},
			},
			Hint: "If the device says that the connection is not private, it does not trust this " +
				"server's certificate yet. With the server's own CA that is so until the profile " +
				"is installed.",
		},
	}
}
