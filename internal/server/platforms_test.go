package server

import "testing"

// No platform takes a path of the server's own, in whatever letters, nor one of another platform.
func TestDevicePathsAreNobodyElses(t *testing.T) {
	var d devicePaths
	for path, taken := range map[string]bool{"/": false, "mdm": false, "/beta/": false,
		"/BETA/devices": false, "/V1.0/x/": false, "/Api/": false, "/Console/x": false,
		"/HealthZ": false, "/betamax/": true, "/mdm/": true, "/push": true} {
		if err := d.add(path, nil); (err == nil) != taken {
			t.Errorf("%s: %v", path, err)
		}
	}
	for _, again := range []string{"/mdm/x", "/mdm/", "/push"} {
		if d.add(again, nil) == nil {
			t.Errorf("%s is taken twice", again)
		}
	}
}
