package simulator

import (
	"net/http"
	"net/url"
	"strings"
)

// route is one address that is served. In its path {} stands for a key.
type route struct {
	method, path string
	bucket       string
	needs        needs
	serve        func(c *call) (answer, *refusal)
}

var routes = allRoutes()

func allRoutes() []route {
	get, post := http.MethodGet, http.MethodPost
	const manage, apps = "deviceManagement/", "deviceAppManagement/"
	list := []route{
		{get, manage + "remoteActionAudits", bucketDevices, readsDevices, listAudits},
		{post, manage + "reports/getConfigurationPoliciesReportForDevice", bucketReports, readsBoth,
			servePolicyReport},
		{get, "users/{}/mobileAppIntentAndStates/{}", bucketReports, readsOne, serveAppStates},
		{get, manage + "deviceConfigurations", bucketConfiguration, readsConfiguration,
			listItems(DeviceConfiguration)},
		{get, manage + "deviceConfigurations/{}", bucketConfiguration, readsConfiguration,
			oneItem(DeviceConfiguration)},
		{get, manage + "configurationPolicies", bucketConfiguration, readsConfiguration,
			listItems(ConfigurationPolicy)},
		{get, manage + "configurationPolicies/{}", bucketConfiguration, readsConfiguration,
			oneItem(ConfigurationPolicy)},
		{get, apps + "mobileApps", bucketApps, readsApps, listItems(Application)},
		{get, apps + "mobileApps/{}", bucketApps, readsApps, oneItem(Application)},
		{get, apps + "mobileAppConfigurations", bucketApps, readsApps, listItems(AppConfiguration)},
		{get, apps + "mobileAppConfigurations/{}", bucketApps, readsApps,
			oneItem(AppConfiguration)},
		{get, "organization", bucketDirectory, readsOrg, listOrganizations},
	}
	for _, devices := range []string{manage + "managedDevices", manage + "comanagedDevices"} {
		one := devices + "/{}"
		list = append(list,
			route{get, devices, bucketDevices, readsDevices, listDevices},
			route{get, one, bucketDevices, readsDevices, oneDevice},
			route{post, one + "/" + changeAssignments, bucketDevices, operates, serveAction},
			route{post, one + "/" + syncDevice, bucketDevices, operates, serveSync},
			route{get, one + "/managedDeviceMobileAppConfigurationStates", bucketDevices,
				readsDevices, listAppConfigurationStates},
			route{get, one + "/deviceConfigurationStates", bucketDevices, readsConfiguration,
				listConfigurationStates})
	}
	return list
}

// find finds the route of a request, with the keys in its path.
func find(method string, segments []string) (*route, []string) {
	for i := range routes {
		pattern := strings.Split(routes[i].path, "/")
		if routes[i].method != method || len(pattern) != len(segments) {
			continue
		}
		var keys []string
		fits := true
		for j, want := range pattern {
			if want == "{}" {
				keys = append(keys, segments[j])
			} else if want != strings.TrimPrefix(segments[j], "microsoft.graph.") {
				fits = false
				break
			}
		}
		if fits {
			return &routes[i], keys
		}
	}
	return nil, nil
}

// segments splits an escaped path below /beta/, where devices('1') is the same as devices/1. False:
// it is not below /beta/, or not a path.
func segments(path string) ([]string, bool) {
	rest, ok := strings.CutPrefix(path, "/beta/")
	if !ok {
		return nil, false
	}
	var list []string
	for _, one := range strings.Split(rest, "/") {
		text, err := url.PathUnescape(one)
		if err != nil || text == "" {
			return nil, false
		}
		name, key, keyed := strings.Cut(text, "('")
		if keyed && strings.HasSuffix(key, "')") {
			key = strings.ReplaceAll(strings.TrimSuffix(key, "')"), "''", "'")
			list = append(list, name, key)
			continue
		}
		list = append(list, text)
	}
	return list, true
}

// verdict is what is to be said of a request that no route fits.
func verdict(method string) Verdict {
	if isWrite(method) {
		return Forbidden
	}
	return Unexpected
}
