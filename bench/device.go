package main

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/apple/simulator"
)

const (
	checkInType = "application/x-apple-aspen-mdm-checkin"
	commandType = "application/x-apple-aspen-mdm"
	plistHead   = `<?xml version="1.0" encoding="UTF-8"?><!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" ` +
		`"http://www.apple.com/DTDs/PropertyList-1.0.dtd"><plist version="1.0"><dict>`
	plistEnd = `</dict></plist>`
)

// target is a server as a device reaches it.
type target struct {
	address string      // host:port
	trust   *tls.Config // nil: without TLS
}

// device is a device that costs little to simulate: one connection that stays open, requests
// written by hand, and no more read of a command than the answer needs.
type device struct {
	udid, serial string
	key          *simulator.QuickKey
	certificate  *x509.Certificate
	signer       *signer
	contents     *contents
	has          map[string]string // identifier to PayloadUUID of what is installed

	host      string
	conn      net.Conn
	in        *bufio.Reader
	idle      []byte // the whole request
	body, out []byte // buffers
}

func newDevice(number int, key *simulator.QuickKey, c *contents) *device {
	return &device{udid: fmt.Sprintf("00008110-%016X", 0x1000+number),
		serial: fmt.Sprintf("BENCH%07d", number), key: key, contents: c}
}

// connect opens the device's connection with an identity that the server accepts.
func (d *device) connect(to target, certificate *x509.Certificate) (err error) {
	d.certificate, d.host, d.has = certificate, to.address, make(map[string]string)
	if d.signer, err = newSigner(d.key, certificate); err != nil {
		return err
	}
	if d.conn, err = net.Dial("tcp", to.address); err != nil {
		return err
	}
	if to.trust != nil {
		d.conn = tls.Client(d.conn, to.trust)
	}
	d.in = bufio.NewReaderSize(d.conn, 8<<10)
	d.idle = bytes.Clone(d.request(commandType, fmt.Appendf(nil, plistHead+
		"<key>Status</key><string>Idle</string><key>UDID</key><string>%s</string>"+plistEnd,
		d.udid)))
	return nil
}

func (d *device) close() {
	if d.conn != nil {
		_ = d.conn.Close()
	}
}

// enroll checks in: Authenticate and TokenUpdate.
func (d *device) enroll() error {
	_, err := d.exchange(d.request(checkInType,
		fmt.Appendf(nil, plistHead+"<key>MessageType</key><string>Authenticate</string>"+
			"<key>Topic</key><string>%s</string><key>UDID</key><string>%s</string><key>SerialNumber</key><string>%s</string>"+
			"<key>DeviceName</key><string>%[3]s</string><key>Model</key><string>MPQ93</string><key>ModelName</key><string>iPhone</string>"+
			"<key>ProductName</key><string>iPhone15,2</string><key>OSVersion</key><string>18.5</string>"+
			"<key>BuildVersion</key><string>22F76</string>"+plistEnd, topic, d.udid, d.serial)))
	if err != nil {
		return fmt.Errorf("check-in Authenticate: %w", err)
	}
	_, err = d.exchange(d.request(checkInType,
		fmt.Appendf(nil, plistHead+"<key>MessageType</key><string>TokenUpdate</string>"+
			"<key>Topic</key><string>%s</string><key>UDID</key><string>%s</string><key>PushMagic</key><string>%s</string>"+
			"<key>Token</key><data>AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA=</data>"+plistEnd,
			topic,
			d.udid, d.serial)))
	if err != nil {
		return fmt.Errorf("check-in TokenUpdate: %w", err)
	}
	return nil
}

const topic = "com.apple.mgmt.External.00000000-0000-4000-8000-000000000001"

// request writes a signed request. It is valid until the next one.
func (d *device) request(contentType string, body []byte) []byte {
	signature := d.signer.header(body)
	d.out = fmt.Appendf(d.out[:0],
		"PUT /mdm HTTP/1.1\r\nHost: %s\r\nUser-Agent: MDM/1.0\r\nContent-Type: %s\r\nMdm-Signature: %s\r\n"+
			"Content-Length: %d\r\n\r\n", d.host, contentType, signature, len(body))
	d.out = append(d.out, body...)
	return d.out
}

// exchangeTime is how long a server may take for one answer, in the measured phase and outside.
const exchangeTime = time.Minute

// exchange sends a request and returns the answer's body.
func (d *device) exchange(request []byte) ([]byte, error) {
	if err := d.conn.SetDeadline(time.Now().Add(exchangeTime)); err != nil {
		return nil, err
	}
	if _, err := d.conn.Write(request); err != nil {
		return nil, err
	}
	answer, err := http.ReadResponse(d.in, nil)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(answer.Body)
	if err == nil && answer.StatusCode != http.StatusOK {
		err = fmt.Errorf("HTTP %d: %.200s", answer.StatusCode, body)
	}
	return body, err
}

// converse connects as after a push: it says that it is idle and answers commands until there is
// none. took gets the time of every exchange.
func (d *device) converse(took func(time.Duration)) (roundTrips int, err error) {
	request := d.idle
	for {
		began := time.Now()
		command, err := d.exchange(request)
		took(time.Since(began))
		if err != nil {
			return roundTrips, fmt.Errorf("device %s, after %d commands: %w", d.udid, roundTrips,
				err)
		}
		if len(command) == 0 {
			return roundTrips, nil
		}
		if d.body, err = d.answer(d.body[:0], command); err != nil {
			return roundTrips, fmt.Errorf("device %s: %w", d.udid, err)
		}
		request = d.request(commandType, d.body)
		roundTrips++
	}
}

var errNoCommand = errors.New("the server sent something that is no command")

// answer executes a command and appends what the device says to it.
func (d *device) answer(to, command []byte) ([]byte, error) {
	id, kind := value(command, "CommandUUID", "string"), value(command, "RequestType", "string")
	if id == nil || kind == nil {
		return nil, fmt.Errorf("%w: %.200s", errNoCommand, command)
	}
	to = append(to, plistHead...)
	switch string(kind) {
	case "InstallProfile":
		p, err := d.contents.profile(value(command, "Payload", "data"))
		if err != nil {
			return nil, err
		}
		d.has[p.identifier] = p.uuid
	case "RemoveProfile":
		delete(d.has, string(value(command, "Identifier", "string")))
	case "ProfileList":
		to = append(to, "<key>ProfileList</key><array>"...)
		for identifier, uuid := range d.has {
			to = fmt.Appendf(to,
				"<dict><key>PayloadIdentifier</key><string>%s</string><key>PayloadUUID</key><string>%s</string></dict>",
				identifier, uuid)
		}
		to = append(to, "</array>"...)
	case "DeviceInformation":
		to = fmt.Appendf(to,
			"<key>QueryResponses</key><dict><key>DeviceName</key><string>%s</string><key>OSVersion</key>"+
				"<string>18.5</string><key>ProductName</key><string>iPhone15,2</string><key>ModelName</key><string>iPhone</string>"+
				"<key>SerialNumber</key><string>%[1]s</string><key>IsSupervised</key><true/></dict>",
			d.serial)
	default:
		return nil, fmt.Errorf("%w: %s", errNoCommand, kind)
	}
	return fmt.Appendf(to,
		"<key>CommandUUID</key><string>%s</string><key>Status</key><string>Acknowledged</string>"+
			"<key>UDID</key><string>%s</string>"+plistEnd, id, d.udid), nil
}

// value finds the text of a key's value in an XML property list, the first if there are several;
// nil if there is none.
func value(list []byte, key, element string) []byte {
	_, after, found := bytes.Cut(list, []byte("<key>"+key+"</key>"))
	if !found {
		return nil
	}
	after, opened := bytes.CutPrefix(bytes.TrimLeft(after, " \t\r\n"), []byte("<"+element+">"))
	text, _, closed := bytes.Cut(after, []byte("</"+element+">"))
	if !opened || !closed {
		return nil
	}
	return text
}
