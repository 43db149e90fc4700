package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/syncpayloads/syncpayloads/client"
)

type deviceCommand struct {
	List   deviceListCommand   `cmd:"" help:"List the managed devices."`
	Show   deviceShowCommand   `cmd:"" help:"Show one device and its latest actions."`
	Sync   deviceSyncCommand   `cmd:"" help:"Ask a device to connect and to tell what it has."`
	Enroll deviceEnrollCommand `cmd:"" help:"Make a link that enrolls one device, once."`
}

type deviceListCommand struct {
	reachable `embed:""`
	Filter    string `help:"An OData $filter, such as: operatingSystem eq 'iOS'." placeholder:"FILTER"`
	JSON      bool   `name:"json" help:"Print JSON."`
}

// Run lists the devices.
func (d *deviceListCommand) Run(ctx context.Context, out io.Writer) error {
	c, err := d.reach()
	if err != nil {
		return err
	}
	found := []client.Device{}
	for device, err := range c.Devices(ctx, client.DeviceOptions{Filter: d.Filter,
		OrderBy: "deviceName"}) {
		if err != nil {
			return err
		}
		found = append(found, device)
	}
	if d.JSON {
		return printJSON(out, found)
	}
	rows := make([][]string, len(found))
	for i, device := range found {
		rows[i] = []string{device.ID, device.Name, device.OperatingSystem, device.OSVersion,
			device.Model,
			device.ManagementState, moment(device.LastSync)}
	}
	return printTable(out, []string{"id", "name", "system", "version", "model", "state",
		"last contact"}, rows)
}

type deviceShowCommand struct {
	reachable `embed:""`
	Device    string `arg:"" help:"The device's id or name."`
	JSON      bool   `name:"json" help:"Print JSON."`
}

// Run prints the device.
func (d *deviceShowCommand) Run(ctx context.Context, out io.Writer) error {
	_, device, err := d.find(ctx, d.Device)
	if err != nil {
		return err
	}
	if d.JSON {
		return printJSON(out, device)
	}
	for _, line := range [][2]string{{"Id", device.ID}, {"Name", device.Name},
		{"System", device.OperatingSystem + " " + device.OSVersion}, {"Model", device.Model},
		{"Serial number", device.SerialNumber},
		{"UDID", device.UDID}, {"Enrollment", device.EnrollmentType},
		{"Supervised", yesNo(device.Supervised)},
		{"State", device.ManagementState},
		{"Enrolled", moment(device.Enrolled)}, {"Last contact", moment(device.LastSync)}} {
		fmt.Fprintf(out, "%-14s %s\n", line[0], printable(line[1]))
	}
	for _, result := range device.ActionResults {
		fmt.Fprintf(out, "\n%s, %s, started %s\n", result.Name, result.State,
			moment(result.Started))
		for _, row := range newTable(&result, nil).rows {
			fmt.Fprintln(out, " ", row.text())
		}
	}
	return nil
}

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

type deviceSyncCommand struct {
	reachable `embed:""`
	Device    string `arg:"" help:"The device's id or name."`
}

// Run asks the device to connect.
func (d *deviceSyncCommand) Run(ctx context.Context) error {
	c, device, err := d.find(ctx, d.Device)
	if err != nil {
		return err
	}
	return c.SyncDevice(ctx, device.ID)
}

type deviceEnrollCommand struct {
	connection `embed:""`
	For        string        `help:"Serial number or UDID of the one device that may use the link." placeholder:"SERIAL|UDID"`
	Replace    bool          `help:"The link enrolls a device that is enrolled, too, in its place: after it was erased, for example."`
	Group      string        `help:"Id of the group of devices that a new device joins." placeholder:"ID"`
	ExpiresIn  time.Duration `help:"How long the link can be used." default:"24h"`
	JSON       bool          `name:"json" help:"Print JSON."`
}

// Run creates a link and prints it.
func (d *deviceEnrollCommand) Run(ctx context.Context, out io.Writer) error {
	c, err := d.open()
	if err != nil {
		return err
	}
	link, err := c.CreateEnrollmentWith(ctx, client.EnrollmentOptions{ExpiresIn: d.ExpiresIn,
		For: d.For, Replace: d.Replace, GroupID: d.Group})
	if err != nil {
		return err
	}
	if d.JSON {
		return printJSON(out, link)
	}
	fmt.Fprintf(out,
		"%s\n\nOpen it on the device, in Safari, and install the profile in Settings "+
			"(on a Mac: System Settings,\nDevice Management). It enrolls one device, until %s. %s\n", link.URL,
		moment(link.Expires),
		linkMeaning(link))
	return nil
}

// linkMeaning says who can do what with an enrollment link.
func linkMeaning(link *client.Enrollment) string {
	who := "Whoever has it can enroll one"
	if link.For != "" {
		who = "It is for " + printable(link.For) + ", as the device says itself"
	}
	if link.Replace {
		return who + ", also one that is enrolled: that\ndevice's present identity then ends."
	}
	return who + " that is not enrolled yet."
}
