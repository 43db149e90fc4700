package payload

// codeRow is one value of Google's enumerations of why something was not applied. Its code is the
// first of its table and its place in it, which is its place in the enumeration.
type codeRow struct {
	value   string
	verdict Verdict
	meaning string
	advice  string
}

const (
	waitLonger   = "Wait: it goes on by itself."
	startAgain   = "Start the action again."
	correctIt    = "Correct the policy in the catalog. The device gets the new version by itself."
	otherDevice  = "Nothing helps on this device: take the assignment from it, or use a newer device."
	inPlayAdmin  = "Look at the app in the managed Google Play console, then start the action again."
	enterpriseUp = "Look at the enterprise in Google's admin console, and at its terms."
)

// The tables of codes (Android Management API, NonComplianceDetail), each with the number of its
// first row.
var codeTables = []struct {
	first int64
	rows  []codeRow
}{{1000, reasons}, {2000, installFailures}, {3000, specificReasons}}

// reasons are those of nonComplianceReason.
var reasons = []codeRow{
	{"NON_COMPLIANCE_REASON_UNSPECIFIED", Working,
		"The device does not comply, and says nothing that this server knows of why.",
		"Read what the device said. Sync it and look again."},
	{"API_LEVEL", PartlyPermanent, "The device's version of Android is too old for this setting.",
		"Update the device. If there is no update, nothing helps on this device."},
	{"MANAGEMENT_MODE", PartlyPermanent,
		"The way in which the device is managed does not support this setting: some are only for fully managed, for dedicated devices, or for work profiles.",
		"Take the setting out of the policy for such devices, or enroll the device in another mode."},
	{"USER_ACTION", UserMust, "The device's user must do something before this applies.",
		"Have the user look at the device: Android shows what it asks for."},
	{"INVALID_VALUE", Permanent, "The setting has a value that the device does not take.", correctIt},
	{"APP_NOT_INSTALLED", Working, "The app is not on the device yet.",
		"Wait. If it stays so, look at the device's network and free storage."},
	{"UNSUPPORTED", PartlyPermanent,
		"The app Android Device Policy on the device is too old for this setting.",
		"Update Android Device Policy on the device in the Play store. If it is up to date, the device does not support the setting."},
	{"APP_INSTALLED", Working, "The app is blocked, and still on the device.",
		"Wait: Android uninstalls it. If it stays, it may be part of the system, which can only be disabled."},
	{"PENDING", Working, "The device has not applied it yet, and will do so shortly.", waitLonger},
	{"APP_INCOMPATIBLE", Permanent, "The app does not support the setting, because it was made for an older Android, for example.",
		"Update the app, or take the setting out."},
	{"APP_NOT_UPDATED", Working, "The app is on the device, in an older version than the policy wants.",
		"Wait for the Play store to update it. The device needs Wi-Fi or must be charged, as its update policy says."},
	{"OS_NOT_PERMITTED", Permanent, "The policy does not permit this version of Android.",
		"Update the device."},
	{"DEVICE_INCOMPATIBLE", PartlyPermanent, "The device's hardware cannot do what the policy wants.",
		otherDevice},
	{"APP_SIGNING_CERT_MISMATCH", Permanent,
		"The app is not signed with the certificate that the policy names: it may be another app of the same name.",
		"Look where the app on the device comes from."},
	{"PROJECT_NOT_PERMITTED", Permanent,
		"Google does not permit your Google Cloud project to use this setting.",
		"Take the setting out, or ask Google for permission (developers.google.com/android/management/permissible-usage)."},
}

// installFailures are those of installationFailureReason.
var installFailures = []codeRow{
	{"INSTALLATION_FAILURE_REASON_UNSPECIFIED", Working,
		"The app is not installed, and the device does not say why.", waitLonger},
	{"INSTALLATION_FAILURE_REASON_UNKNOWN", Working,
		"Something keeps the app from being installed: too little storage, a weak network, or it takes long. Android tries again by itself.",
		"Look at the device's free storage and network."},
	{"IN_PROGRESS", Working, "The app is being installed.", waitLonger},
	{"NOT_FOUND", Permanent, "Google Play does not know the app.",
		"Correct the app in the catalog: its package name may be wrong, or it may have left the store."},
	{"NOT_COMPATIBLE_WITH_DEVICE", Permanent, "The app does not run on this device.",
		"Look in Google Play which devices and versions the app supports."},
	{"NOT_APPROVED", Permanent, "The app is not approved for your enterprise.",
		"Approve the app in the managed Google Play console, then start the action again."},
	{"PERMISSIONS_NOT_ACCEPTED", Permanent,
		"A new version of the app wants permissions that nobody has accepted for your enterprise.",
		"Accept them in the managed Google Play console, then start the action again."},
	{"NOT_AVAILABLE_IN_COUNTRY", Permanent, "The app is not available in the country of the device.",
		"Ask the app's maker, or use another app."},
	{"NO_LICENSES_REMAINING", Permanent, "No license of the app is left.", inPlayAdmin},
	{"NOT_ENROLLED", Permanent,
		"The enterprise is not enrolled with managed Google Play any more, or its latest terms are not accepted.",
		enterpriseUp},
	{"USER_INVALID", Permanent, "The account on the device is not valid any more: it may have been deleted or disabled.",
		enterpriseUp},
	{"NETWORK_ERROR_UNRELIABLE_CONNECTION", Working,
		"The device's network keeps the app from being loaded. It goes on by itself with a better one.",
		"Bring the device to a network that reaches Google Play without limits."},
	{"INSUFFICIENT_STORAGE", UserMust,
		"The device has too little storage for the app. It goes on by itself when there is enough.",
		"Have the user free storage on the device."},
}

// specificReasons are those of specificNonComplianceReason.
var specificReasons = []codeRow{
	{"SPECIFIC_NON_COMPLIANCE_REASON_UNSPECIFIED", Working,
		"The device does not comply, and does not say more.", waitLonger},
	{"PASSWORD_POLICIES_USER_CREDENTIALS_CONFIRMATION_REQUIRED", UserMust,
		"The user must enter the screen lock once, so that Android can look at it.",
		"Have the user lock the device and unlock it with the password."},
	{"PASSWORD_POLICIES_PASSWORD_EXPIRED", UserMust, "The password has expired.",
		"Have the user set a new one."},
	{"PASSWORD_POLICIES_PASSWORD_NOT_SUFFICIENT", UserMust,
		"The password is weaker than the policy wants.", "Have the user set a stronger one."},
	{"ONC_WIFI_INVALID_VALUE", Permanent, "The Wi-Fi network has a value that the device does not take.",
		correctIt},
	{"ONC_WIFI_API_LEVEL", PartlyPermanent,
		"The device's version of Android is too old for a value of the Wi-Fi network.",
		"Update the device, or take the value out of the network's policy."},
	{"ONC_WIFI_INVALID_ENTERPRISE_CONFIG", Permanent,
		"The enterprise Wi-Fi network lacks its trusted root certificate, or the names of its servers.",
		"Assign the trusted root certificate to the device, too, and look at trustedServerCertificateNames."},
	{"ONC_WIFI_USER_SHOULD_REMOVE_NETWORK", UserMust,
		"The user has configured the same Wi-Fi network.", "Have the user remove it in the device's settings."},
	{"ONC_WIFI_KEY_PAIR_ALIAS_NOT_CORRESPONDING_TO_EXISTING_KEY", Working,
		"The certificate by which the device would show who it is to the Wi-Fi network is not there yet.",
		"Wait. If it stays so, look at the app that brings certificates to the device."},
	{"PERMISSIBLE_USAGE_RESTRICTION", Permanent,
		"Google restricts this setting to projects that it has permitted to use it.",
		"Take the setting out, or ask Google for permission (developers.google.com/android/management/permissible-usage)."},
	{"REQUIRED_ACCOUNT_NOT_IN_ENTERPRISE", UserMust,
		"The account that the device must have is not part of the enterprise any more.",
		"Have the user sign in with an account of the enterprise."},
	{"NEW_ACCOUNT_NOT_IN_ENTERPRISE", UserMust,
		"The account that the user added is not part of the enterprise.",
		"Have the user sign in with an account of the enterprise."},
	{"DEFAULT_APPLICATION_SETTING_UNSUPPORTED_SCOPES", Permanent,
		"A default app is set for a part of the device that its way of management does not have.",
		correctIt},
	{"DEFAULT_APPLICATION_SETTING_FAILED_FOR_SCOPE", Permanent,
		"A default app could not be set.", "Look whether the app is on the device."},
	{"PRIVATE_DNS_HOST_NOT_SERVING", Permanent,
		"The host is no server of private DNS.", correctIt},
	{"USER_NOT_UNLOCKED", Working, "The device was started, and not unlocked since.",
		"Have the user unlock the device once."},
}

// refusals are Google's own answers, by their HTTP status. Others have the words of their hundred.
var refusals = map[int]codeRow{
	400: {"", Permanent, "Google refused the device's policy because of this.", correctIt},
	401: {"", Permanent, "Google does not accept the server's account.",
		"Look at the service account's key in the settings of the server."},
	403: {"", Permanent, "Google does not allow the server's account or project to do this.",
		"Look at the Google Cloud project: whether the Android Management API is enabled, and what Google permits it."},
	404: {"", Permanent, "Google does not know the device or its enterprise any more.",
		"Look whether the device is still enrolled."},
	429: {"", Working, "Google wants fewer requests from this project for the moment.", waitLonger},
	500: {"", Working, "Google's service had a failure.", "Wait: the server tries again by itself."},
	499: {"", Permanent, "Google refused the request.", startAgain},
}
