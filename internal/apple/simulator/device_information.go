package simulator

import "context"

// prepareDeviceInformation: Apple, "Device Information". Queries that a device does not know, or
// may not answer, are left out of the answer.
func prepareDeviceInformation(_ context.Context, _ *Device, f *fields, cmd *command) {
	field[[]any](f, "Queries", true)
	queries := f.texts("Queries")
	cmd.execute = func(d *Device, _ Effect) answer {
		facts := d.facts.queryable()
		found := make(map[string]any)
		for _, query := range queries {
			if value, known := facts[query]; known {
				found[query] = value
			}
		}
		return acknowledge(map[string]any{"QueryResponses": found})
	}
}

func (f *Facts) queryable() map[string]any {
	known := map[string]any{"DeviceName": f.DeviceName, "Model": f.Model, "ModelName": f.ModelName,
		"ProductName": f.ProductName, "OSVersion": f.OSVersion, "BuildVersion": f.BuildVersion,
		"IsSupervised": f.Supervised}
	if f.EnrollmentID == "" {
		known["UDID"], known["SerialNumber"], known["WiFiMAC"] = f.UDID, f.SerialNumber, f.WiFiMAC
	}
	return known
}
