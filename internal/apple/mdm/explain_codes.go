package mdm

const (
	tryAgain    = "Start the action again."
	tryUnlocked = "Have its user unlock the device, then start the action again."
	tryNetwork  = "Look at the device's network and at the server that it could not reach, then start the action again."
	fixProfile  = "Correct the profile in the catalog. The device gets the new version by itself."
	fixLicense  = "Look at the app's licenses in Apple Business Manager or Apple School Manager, then start the action again."
	askUser     = "Talk to the device's user, then start the action again."
	syncFirst   = "Sync the device and look at its state again. If that is not what you want, start the action again."
)

// appStates are the states of a managed app that are failures (Apple, "ManagedApplicationListResponse" and
// "InstallApplicationResponse").
var appStates = map[string]advice{
	"Failed":                {"The device could not install the app.", "Look at its free storage and network, then start the action again."},
	"ManagedButUninstalled": {"The app is managed, but the device's user has removed it.", askUser},
	"UserInstalledApp":      {"The user installed the app before it could be managed.", "Have the user delete the app, or agree to its management, then start the action again."},
	"NeedsRedemption":       {"The app needs a redemption code to finish its installation.", fixLicense},
	"UserRejected":          {"The device's user declined the installation.", askUser},
	"UpdateRejected":        {"The device's user declined an update.", askUser},
	"ManagementRejected":    {"The user did not let the app, which they had already, be managed.", askUser},

	"AppStoreDisabled":             {"The App Store is switched off on the device.", "Allow the App Store in the device's restrictions, then start the action again."},
	"AppStoreNotAvailable":         {"The App Store is not available to the device.", tryNetwork},
	"CouldNotVerifyAppID":          {"The App Store does not know the app.", "Correct the app in the catalog: its bundle id or App Store address may be wrong."},
	"NotAnApp":                     {"What the address leads to is not an app.", "Correct the app's address in the catalog."},
	"NotSupported":                 {"The device does not support installing this app.", "Look at which devices and versions the app supports."},
	"PurchaseMethodNotSupported":   {"The device cannot get the app in the way that was asked for.", fixLicense},
	"ManagementChangeNotSupported": {"The installed app cannot become managed on this device.", "Have the user delete the app, then start the action again."},
}

// explanations are the error codes of Apple's "Mobile Device Management Protocol Reference", section "Error Codes", and
// Foundation's URL loading errors, as far as they come up when profiles and apps are installed and removed.
var explanations = map[failure]advice{
	{"MCProfileErrorDomain", 1000}: {"The profile is malformed.", fixProfile},
	{"MCProfileErrorDomain", 1001}: {"The device does not know the version of the profile's format.", fixProfile},
	{"MCProfileErrorDomain", 1002}: {"The profile lacks a required field.", fixProfile},
	{"MCProfileErrorDomain", 1003}: {"A field of the profile is of the wrong kind.", fixProfile},
	{"MCProfileErrorDomain", 1004}: {"The profile's signature is not valid.", "Sign the profile again, or upload it unsigned."},
	{"MCProfileErrorDomain", 1005}: {"The profile is empty.", fixProfile},
	{"MCProfileErrorDomain", 1006}: {"The device cannot decrypt the profile.", "Upload the profile unencrypted, or encrypted for this device."},
	{"MCProfileErrorDomain", 1007}: {"Two parts of the profile have the same UUID.", fixProfile},
	{"MCProfileErrorDomain", 1008}: {"Two parts of the profile have the same identifier.", fixProfile},
	{"MCProfileErrorDomain", 1009}: {"The profile could not be installed.", tryAgain},
	{"MCProfileErrorDomain", 1010}: {"A field of the profile has a value that the device does not support.", fixProfile},

	{"MCPayloadErrorDomain", 2000}: {"A payload in the profile is malformed.", fixProfile},
	{"MCPayloadErrorDomain", 2001}: {"The device does not know the version of a payload's format.", fixProfile},
	{"MCPayloadErrorDomain", 2002}: {"A payload in the profile lacks a required field.", fixProfile},
	{"MCPayloadErrorDomain", 2003}: {"A field of a payload is of the wrong kind.", fixProfile},
	{"MCPayloadErrorDomain", 2004}: {"A field of a payload has a value that the device does not support.", fixProfile},

	{"MCInstallationErrorDomain", 4000}: {"The device cannot read the profile.", fixProfile},
	{"MCInstallationErrorDomain", 4001}: {"The device could not install the profile.", "The last part of what the device said has the reason."},
	{"MCInstallationErrorDomain", 4002}: {"The device has another profile with the same UUID.", fixProfile},
	{"MCInstallationErrorDomain", 4004}: {"The device's user canceled the installation.", askUser},
	{"MCInstallationErrorDomain", 4005}: {"The device's passcode does not comply with the profile.", "Have the user choose a passcode that does, then start the action again."},
	{"MCInstallationErrorDomain", 4006}: {"The profile's removal date is in the past.", fixProfile},
	{"MCInstallationErrorDomain", 4009}: {"The device is locked.", tryUnlocked},
	{"MCInstallationErrorDomain", 4017}: {"The device would have more than one global HTTP proxy.", "Remove the other profile with a proxy first."},
	{"MCInstallationErrorDomain", 4018}: {"The device would have more than one cellular setting.", "Remove the other profile with cellular settings first."},
	{"MCInstallationErrorDomain", 4019}: {"The device would be locked to more than one app.", "Remove the other profile with an app lock first."},
	{"MCInstallationErrorDomain", 4024}: {"The device does not have this profile.", syncFirst},
	{"MCInstallationErrorDomain", 4025}: {"The profile needs a supervised device, and this one is not.", "Assign the profile to supervised devices only, or supervise this one."},

	{"MCPasscodeErrorDomain", 5010}:         {"The device is locked.", tryUnlocked},
	{"MCTunnelErrorDomain", 14001}:          {"The device is locked.", tryUnlocked},
	{"MCEmailErrorDomain", 7000}:            {"The device could not reach the mail server.", tryNetwork},
	{"MCDAErrorDomain", 18001}:              {"The device could not reach the server of the account.", tryNetwork},
	{"MCEASErrorDomain", 21000}:             {"The device could not get the policy of the Exchange server.", tryNetwork},
	{"MCSCEPErrorDomain", 22005}:            {"The device could not reach the SCEP server.", tryNetwork},
	{"MCHTTPTransactionErrorDomain", 23001}: {"A server that the device asked gave a bad answer.", tryNetwork},
	{"MCStoreErrorDomain", 30001}:           {"The App Store did not answer in time.", tryAgain},

	{"MCMDMErrorDomain", 12001}: {"The profile would have the device managed a second time.", "Take the MDM payload out of the profile. The device gets the new version by itself."},
	{"MCMDMErrorDomain", 12021}: {"The device does not know this command.", "Look at its system version: the command may need a newer one, or supervision."},
	{"MCMDMErrorDomain", 12023}: {"The App Store does not know the app's number, or could not be asked.", "Correct the app's App Store address in the catalog; if it is right, start the action again."},
	{"MCMDMErrorDomain", 12024}: {"The device could not read the app's manifest.", "Open the manifest's address from the device's network. Then start the action again."},
	{"MCMDMErrorDomain", 12025}: {"The app is installed already.", syncFirst},
	{"MCMDMErrorDomain", 12026}: {"There is no license for the app.", fixLicense},
	{"MCMDMErrorDomain", 12029}: {"The device does not manage this app.", syncFirst},
	{"MCMDMErrorDomain", 12036}: {"The app cannot be removed in its present state.", "Wait until its installation or update has ended, then start the action again."},
	{"MCMDMErrorDomain", 12038}: {"The device does not manage this app.", syncFirst},
	{"MCMDMErrorDomain", 12040}: {"The device wants its user to log in to the App Store.", "Have the user log in, or assign the app's license to the device."},
	{"MCMDMErrorDomain", 12043}: {"The app's download failed.", tryNetwork},
	{"MCMDMErrorDomain", 12047}: {"No license of the app is assigned to this device.", fixLicense},
	{"MCMDMErrorDomain", 12064}: {"No license of the app was found.", fixLicense},
	{"MCMDMErrorDomain", 12075}: {"The device does not have this profile.", syncFirst},
	{"MCMDMErrorDomain", 12078}: {"The device is in Lost Mode, in which it does not do this.", "Switch Lost Mode off, then start the action again."},
	{"MDMClientError", 89}:      {"The Mac does not have this profile.", syncFirst},

	{"NSURLErrorDomain", -1001}: {"A server that the device asked did not answer in time.", tryNetwork},
	{"NSURLErrorDomain", -1003}: {"The device does not find a server by its name.", tryNetwork},
	{"NSURLErrorDomain", -1004}: {"The device could not connect to a server.", tryNetwork},
	{"NSURLErrorDomain", -1005}: {"The device lost its network connection.", tryNetwork},
	{"NSURLErrorDomain", -1006}: {"The device could not look up the name of a server.", tryNetwork},
	{"NSURLErrorDomain", -1009}: {"The device was not connected to the internet.", tryNetwork},
}

// domainExplanations are the words for errors of which only the domain is known.
var domainExplanations = map[string]advice{
	"MCProfileErrorDomain":      {"Something is wrong with the profile.", fixProfile},
	"MCPayloadErrorDomain":      {"Something is wrong with a payload in the profile.", fixProfile},
	"MCInstallationErrorDomain": {"The device could not install or remove the profile.", "Read what the device said. " + tryAgain},
	"MCRestrictionsErrorDomain": {"The restrictions of this profile contradict those that the device has.", fixProfile},
	"MCCertificateErrorDomain":  {"The device could not use a certificate in the profile.", "Look at the certificate's password and format. " + fixProfile},
	"MCSCEPErrorDomain":         {"The device did not get its certificate by SCEP.", "Look at the SCEP server's log and at the profile's SCEP settings. " + tryAgain},
	"MCWiFiErrorDomain":         {"The device could not use the Wi-Fi settings.", fixProfile},
	"MCVPNErrorDomain":          {"The device could not use the VPN settings.", fixProfile},
	"MCEmailErrorDomain":        {"The device could not set up the mail account.", "Look at the account's server and credentials. " + fixProfile},
	"MCMDMErrorDomain":          {"The device refused the command.", "Read what the device said. " + tryAgain},
	"NSURLErrorDomain":          {"The device could not reach a server that it needs.", tryNetwork},
	"NSCocoaErrorDomain":        {"The device's system failed, for example for want of storage.", "Look at the device's free storage. " + tryAgain},
	"MCStoreErrorDomain":        {"The App Store did not do what the device asked.", tryAgain},
}
