package main

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/google/uuid"
)

// profileSize is how long a profile is at least, in bytes.
const profileSize = 2048

// profile is a configuration profile of the load.
type profile struct {
	identifier, uuid string
	file             []byte
}

func newProfile(number int) profile {
	p := profile{identifier: fmt.Sprintf("com.example.bench%d", number),
		uuid: strings.ToUpper(uuid.NewString())}
	head := plistHead + "<key>PayloadIdentifier</key><string>" + p.identifier +
		"</string><key>PayloadUUID</key><string>" + p.uuid +
		"</string><key>PayloadType</key><string>Configuration</string><key>PayloadVersion</key><integer>1</integer>" +
		"<key>PayloadDisplayName</key><string>" + p.identifier +
		"</string><key>PayloadContent</key><array><dict>" +
		"<key>PayloadType</key><string>com.apple.webClip.managed</string><key>PayloadIdentifier</key><string>" + p.identifier +
		".clip</string><key>PayloadUUID</key><string>" + strings.ToUpper(uuid.NewString()) +
		"</string><key>PayloadVersion</key>" +
		"<integer>1</integer><key>Label</key><string>Bench</string><key>URL</key><string>https://example.com/"
	end := "</string></dict></array>" + plistEnd
	p.file = []byte(head + strings.Repeat("x", max(0, profileSize-len(head)-len(end))) + end)
	return p
}

// contents finds out which profile an InstallProfile brings. All devices get the same few, so each
// is decoded once.
type contents struct {
	mu    sync.RWMutex
	known map[string]profile // by its base64
}

func (c *contents) profile(encoded []byte) (profile, error) {
	c.mu.RLock()
	p, ok := c.known[string(encoded)]
	c.mu.RUnlock()
	if ok {
		return p, nil
	}
	file, err := base64.StdEncoding.DecodeString(string(bytes.Join(bytes.Fields(encoded), nil)))
	if err != nil {
		return p, fmt.Errorf("the profile of InstallProfile: %w", err)
	}
	p = profile{identifier: string(value(file, "PayloadIdentifier", "string")),
		uuid: string(value(file, "PayloadUUID", "string")), file: file}
	if p.identifier == "" || p.uuid == "" {
		return p, errors.New("the profile of InstallProfile is none of the load's")
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.known[string(encoded)] = p
	return p, nil
}
