package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/syncpayloads/syncpayloads/client"
	"github.com/syncpayloads/syncpayloads/client/direct"
)

// connection has the flags by which a command reaches the server.
type connection struct {
	URL   string `help:"The server, https://host[:port]; or Microsoft Graph, https://graph.microsoft.com (docs/direct.md)." default:"https://localhost:8443"`
	Token string `help:"Bearer token, made by 'syncpayloads token create'." placeholder:"TOKEN"`
	CA    string `name:"ca" help:"The server's CA certificate, a PEM file; without it the system's CAs are believed." placeholder:"FILE" predictor:"file"`
}

// open returns a server. Commands that Microsoft Graph can serve, too, use reach.
func (c *connection) open() (*client.Client, error) {
	if direct.IsGraph(c.URL) {
		return nil, usageError("Microsoft Graph has nothing for this command: give the URL of a " +
			"syncpayloads server. Against Graph there are device list, show and sync, payload list, " +
			"remove, restore, watch and login")
	}
	if c.Token == "" {
		return nil, usageError("no token: give --token or set SYNCPAYLOADS_TOKEN; " +
			"`syncpayloads token create NAME` makes one on the server's machine")
	}
	opened, err := client.New(client.Config{URL: c.URL, Token: c.Token, CAFile: c.CA})
	if err != nil {
		return nil, &exit{exitUsage, err}
	}
	return opened, nil
}

// choose returns the payloads of a device that are named by id or display name.
func choose(known []client.Payload, names []string) ([]client.Payload, error) {
	var chosen []client.Payload
	for _, name := range names {
		p, err := chooseOne(known, name)
		if err != nil {
			return nil, err
		}
		if !slices.ContainsFunc(chosen,
			func(other client.Payload) bool { return other.ID == p.ID }) {
			chosen = append(chosen, *p)
		}
	}
	return chosen, nil
}

func chooseOne(known []client.Payload, name string) (*client.Payload, error) {
	var found []client.Payload
	for _, p := range known {
		if strings.EqualFold(p.ID, name) {
			return &p, nil
		}
		if strings.EqualFold(p.DisplayName, name) {
			found = append(found, p)
		}
	}
	switch {
	case len(found) == 1:
		return &found[0], nil
	case len(found) > 1:
		return nil, fmt.Errorf("%d payloads of the device have the name %q; give an id instead:%s",
			len(found), name, lines(found))
	case len(known) == 0:
		return nil,
			errors.New("nothing is assigned to the device, so nothing can be removed or restored")
	default:
		return nil, fmt.Errorf("no payload with the id or name %q is assigned to the device "+
			"or removed from it; there are:%s", name, lines(known))
	}
}

func lines(payloads []client.Payload) string {
	var text strings.Builder
	for _, p := range payloads {
		fmt.Fprintf(&text, "\n  %s  %s (%s)", printable(p.ID), printable(p.DisplayName),
			printable(kindOf(p)))
	}
	return text.String()
}

// kindOf returns what a person calls a payload's type: Graph's sub-type, if it has one.
func kindOf(p client.Payload) string {
	if p.SubType != "" {
		return p.SubType
	}
	return string(p.Type)
}
