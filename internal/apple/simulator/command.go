package simulator

import (
	"context"
	"fmt"
)

// Statuses of an answer (Apple, "Handling NotNow status responses", "Error codes").
const (
	acknowledged = "Acknowledged"
	failed       = "Error"
	formatError  = "CommandFormatError"
	notNow       = "NotNow"
	idle         = "Idle"
)

// command is a decoded command, ready to be executed.
type command struct {
	uuid, requestType, identifier string
	installsApp                   bool
	execute                       func(d *Device, outcome Effect) answer // d.mu is held
}

// answer is what a device says to a command. Unenroll means that nothing is said, as the enrollment
// is removed.
type answer struct {
	status   string
	chain    []ErrorLink
	body     map[string]any
	unenroll bool
}

func acknowledge(body map[string]any) answer { return answer{status: acknowledged, body: body} }

func fail(chain ...ErrorLink) answer { return answer{status: failed, chain: chain} }

// mdmError is an error of the MDM client itself. Macs name the domain otherwise than the other
// platforms do.
func (d *Device) mdmError(code int, format string, values ...any) ErrorLink {
	domain := "MDMErrorDomain"
	if d.kind == Mac {
		domain = "MCMDMErrorDomain"
	}
	return ErrorLink{domain, code, fmt.Sprintf(format, values...)}
}

// Codes of MCMDMErrorDomain, Mobile Device Management Protocol Reference, "Error Codes".
const (
	mdmMultipleInstances    = 12001
	mdmReplacementMismatch  = 12012
	mdmInvalidRequestType   = 12021
	mdmStoreIDNotValidated  = 12023
	mdmManifestNotValidated = 12024
	mdmAppAlreadyInstalled  = 12025
	mdmAppNotManaged        = 12038
	mdmProfileNotInstalled  = 12075
	settingsUnknownItem     = 28000 // MCSettingsErrorDomain
	installationCannotParse = 4000  // MCInstallationErrorDomain
	macProfileNotFound      = 89    // MDMClientError, as mdmclient logs it
	macUnknownCommand       = 91    // MDMClientError
)

// prepare reads a command's keys and gets from the network what it needs; f.err tells that the
// command is malformed.
type prepare func(ctx context.Context, d *Device, f *fields, cmd *command)

// prepareCommand finds the rules of a request type on the device's platform.
func (d *Device) prepareCommand(requestType string) (prepare, bool) {
	switch requestType {
	case "InstallProfile":
		return prepareInstallProfile, true
	case "RemoveProfile":
		return prepareRemoveProfile, true
	case "ProfileList":
		return prepareProfileList, true
	case "InstallApplication":
		return prepareInstallApplication, true
	case "InstallEnterpriseApplication":
		return prepareInstallEnterpriseApplication, d.kind == Mac
	case "RemoveApplication":
		return prepareRemoveApplication, true
	case "ManagedApplicationList":
		return prepareManagedApplicationList, true
	case "InstalledApplicationList":
		return prepareInstalledApplicationList, true
	case "Settings":
		return prepareSettings, true
	case "ManagedApplicationConfiguration":
		return prepareManagedApplicationConfiguration, true
	case "DeviceInformation":
		return prepareDeviceInformation, true
	}
	return nil, false
}

// decodeCommand reads a command. An error means that the bytes are no command at all, not even one
// to complain about.
func (d *Device) decodeCommand(ctx context.Context, raw []byte) (*command, error) {
	f, err := decodePlist(raw)
	if err != nil {
		return nil, fmt.Errorf("command: %w", err)
	}
	cmd := &command{uuid: f.mustText("CommandUUID")}
	if f.err != nil {
		return nil, fmt.Errorf("command: %w", f.err)
	}
	inner := &fields{values: f.dict("Command"), err: f.err}
	cmd.requestType = inner.mustText("RequestType")
	if inner.err == nil {
		if prepare, known := d.prepareCommand(cmd.requestType); known {
			prepare(ctx, d, inner, cmd)
		} else {
			cmd.execute = unknownCommand(cmd.requestType)
		}
	}
	if inner.err != nil {
		cmd.execute = func(*Device, Effect) answer { return answer{status: formatError} }
	}
	return cmd, nil
}

func unknownCommand(requestType string) func(*Device, Effect) answer {
	return func(d *Device, _ Effect) answer {
		if d.kind == Mac {
			return fail(d.mdmError(mdmInvalidRequestType, "Unknown command: %s <MDMClientError:%d>",
				requestType,
				macUnknownCommand))
		}
		return fail(d.mdmError(mdmInvalidRequestType, "“%s” is not a valid request type.",
			requestType))
	}
}

// message is the answer as it goes to the server.
func (a *answer) message(facts *Facts, commandUUID string) map[string]any {
	message := map[string]any{"Status": a.status}
	for key, value := range a.body {
		message[key] = value
	}
	if commandUUID != "" {
		message["CommandUUID"] = commandUUID
	}
	if len(a.chain) > 0 {
		message["ErrorChain"] = errorChain(a.chain)
	}
	facts.identify(message)
	return message
}

func errorChain(links []ErrorLink) []any {
	chain := make([]any, 0, len(links))
	for _, link := range links {
		chain = append(chain, map[string]any{"ErrorDomain": link.Domain, "ErrorCode": link.Code,
			"LocalizedDescription": link.Description, "USEnglishDescription": link.Description})
	}
	return chain
}
