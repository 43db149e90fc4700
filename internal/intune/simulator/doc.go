// Package simulator stands for a Microsoft Intune tenant: the token service of Entra ID, the part of
// Microsoft Graph beta by which apps and configurations are taken off a device and put back, and the
// devices and admins behind it. It is strict: what the reference does not have is refused and
// remembered. A Site is an http.Handler with any number of tenants.
//
// It is built to Microsoft's reference, not to a tenant that somebody watched:
//
//   - the action: managedDevice changeAssignments, deviceAssignmentItem and
//     changeAssignmentsActionResult (learn.microsoft.com/graph/api, beta), "Remove apps and
//     configuration" of Intune's remote device actions;
//   - lists and states: managedDevice, remoteActionAudit, mobileAppIntentAndState,
//     managedDeviceMobileAppConfigurationState, deviceConfigurationState, and the report
//     getConfigurationPoliciesReportForDevice;
//   - limits: "Microsoft Graph service-specific throttling limits", Intune; "Combine multiple
//     requests in one HTTP call using JSON batching";
//   - tokens: "OAuth 2.0 client credentials flow", "certificate credentials", "device authorization
//     grant" of the Microsoft identity platform; RFC 6749, RFC 7523, RFC 8628.
//
// # What a call means
//
// The body of changeAssignments is the whole set that shall be off. What earlier calls were to
// remove, and the set does not name, has the intent restore in the result. The call answers 204
// without an id. Nothing happens on the device before its check-in. Intune restores by itself 8 to
// 24 hours after the call. Everybody shares the one set of a device: the last call decides.
//
// # What was assumed
//
// Where the reference is silent, this is what a Site does. Readings and Faults name the switches for
// the other ways.
//
//   - An empty set is accepted, and restores everything (EmptyRefused).
//   - A smaller set restores the difference, and restore is no intent to send (RestoreByIntent).
//   - Naming an item again does not prolong its 8 to 24 hours, which count from the call that named
//     it first (RepostRestartsClock). The items of one call come back at the same time.
//   - An unknown item refuses the whole call with 400 (UnknownItem). So do more than 30 items,
//     those that would come back included, an item that is there twice, and a device that is being
//     retired, wiped or deleted.
//   - An item that was off and is named again is initiated until the next check-in (KeptItemsStay).
//     An item in error is tried at each check-in.
//   - Intune's restore shows in the element of the action that removed, and in no audit
//     (SilentRestore).
//   - deviceActionResults has one element of each name, at once (ResultDelay, OlderElements), and
//     for ever (ResultsVanish). A list has none.
//   - The action needs PrivilegedOperations.All, for an application, too (ReadPermissionsSuffice,
//     AppOnlyRefused). Scope tags bind people, not applications.
//   - An audit names no application (AuditNamesApps); its $filter and $orderby work
//     (AuditFilterIgnored). syncDevice, which remoteAction has no member for, is unknown there.
//   - The report needs permission to read both devices and configurations, and counts as a write.
//     Where no limit is documented, it is 100 writes and 1,000 requests in 20 seconds. A window of
//     20 seconds begins with the first request after the one before. Refused requests count.
//   - What is off a device is not in its reports, nor among its apps (AppsStayListed). They are
//     fresh (ReportAge). The ids of states are those of the policies (CompositeIDs).
//   - $filter of managedDevices heeds lastSyncDateTime and enrolledDateTime with lt and gt
//     (FiltersInUse). With anything else in it, all of it has no effect. A page has up to 1,000
//     devices (PageSizes), and $top makes it smaller. The last page can be empty.
//   - An assertion's id counts once. Who polls for a device code too early is told slow_down.
//
// Faulty returns options with all that goes wrong. All that is random comes from a seed, so the same
// requests in the same order have the same answers.
package simulator
