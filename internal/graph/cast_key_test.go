package graph_test

import (
	"net/http"
	"testing"
)

// Behind a list that is cast to a type there can be the key of one of its things, which is there if
// it is of that type, and all that is of it.
func TestKeyBehindACastList(t *testing.T) {
	s := newSite(t)
	app, wifi := s.addApp("mail"), s.addProfile("wifi")
	p := s.enrollPhone()
	const vpp, custom = "/graph.iosVppApp", "/microsoft.graph.iosCustomConfiguration"
	for _, is := range []string{apps + vpp + "/" + app, apps + "/GRAPH.IOSVPPAPP('" + app + "')",
		"/v1.0/deviceAppManagement/mobileApps/microsoft.graph.iosVppApp/" + app + "/",
		apps + vpp + "/" + app + "/assignments", apps + vpp + "/" + app + "/categories",
		apps + "/graph.mobileApp/" + app,
		configurations + custom + "/" + wifi + "?$expand=assignments",
		configurations + "/graph.deviceConfiguration/" + wifi,
		devices + "/graph.managedDevice/" + string(p.id),
		"/beta/deviceManagement/configurationPolicies/graph.deviceManagementConfigurationPolicy"} {
		s.must(http.StatusOK, "GET", is, nil)
	}
	for _, not := range []string{apps + "/graph.iosLobApp/" + app, apps + "/graph.nothing/" + app,
		apps + "/graph.iosLobApp/" + app + "/assignments", apps + "/graph.group/" + app,
		apps + vpp + vpp + "/" + app, apps + vpp + "/" + app + vpp + vpp,
		configurations + "/graph.macOSCustomConfiguration/" + wifi,
		devices + "/graph.windowsManagedDevice/" + string(p.id)} {
		s.must(http.StatusNotFound, "GET", not, nil)
	}
	edit := object{"@odata.type": "#microsoft.graph.iosVppApp", "description": "x"}
	s.must(http.StatusOK, "PATCH", apps+vpp+"/"+app, edit)
	s.must(http.StatusNotFound, "PATCH", apps+"/graph.iosLobApp/"+app, edit)
	s.must(http.StatusNoContent, "POST", apps+vpp+"/"+app+"/assign",
		object{"mobileAppAssignments": []object{}})
	s.must(http.StatusNotFound, "DELETE", apps+"/graph.iosLobApp/"+app, nil)
	s.must(http.StatusNoContent, "DELETE", apps+vpp+"/"+app, nil)
	// A cast list takes nothing new.
	s.must(http.StatusMethodNotAllowed, "POST", apps+vpp, edit)
}
