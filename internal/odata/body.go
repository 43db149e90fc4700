package odata

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"
)

// bodyTooLarge refuses a body of more than limit bytes.
func bodyTooLarge(limit int64) *Fault {
	return &Fault{
		Status:  http.StatusRequestEntityTooLarge,
		Code:    CodeTooLarge,
		Message: fmt.Sprintf("The request body is larger than %d bytes.", limit),
	}
}

func unsupportedMedia(header, format string, args ...any) *Fault {
	return &Fault{
		Status:  http.StatusUnsupportedMediaType,
		Code:    CodeMediaType,
		Message: fmt.Sprintf(format, args...),
		Target:  header,
	}
}

// ReadBody reads the body as a JSON object, without what is ignored.
func (r *Request) ReadBody() (*Object, error) {
	if err := checkMediaType(r.HTTP.Header); err != nil {
		return nil, err
	}
	text, read, err := r.bodyBytes()
	if err != nil {
		return nil, err
	}
	defer read()
	if len(text) == 0 {
		return nil, BadRequest("", "The request needs a JSON object as its body.")
	}
	o, err := ParseObject(text)
	if err == nil {
		o.leaveSetByServer(r.Operation.SetByServer)
		o.vocabulary = r.service.model.vocabulary
		o.declared, o.signature = r.Operation.Takes, r.Operation.Signature
	}
	return o, err
}

// ReadNoBody accepts a body without properties, as clients send with actions that have no
// parameters.
func (r *Request) ReadNoBody() error {
	text, read, err := r.bodyBytes()
	if err != nil {
		return err
	}
	defer read()
	if len(text) == 0 {
		return nil
	}
	o, err := ParseObject(text)
	if err != nil {
		return err
	}
	return o.Only()
}

// charsets are those that a body may be in. The text itself tells which.
var charsets = []string{"utf-8", "us-ascii", "utf-16", "utf-16le", "utf-16be"}

// checkMediaType accepts JSON with OData's own parameters.
func checkMediaType(h http.Header) error {
	value := h.Get("Content-Type")
	media, params, err := mime.ParseMediaType(value)
	if err != nil || media != "application/json" {
		return unsupportedMedia("Content-Type",
			"Content-Type '%s' is not supported. Send application/json.", Clip(value))
	}
	if charset, ok := params["charset"]; ok && ownName(charsets, charset) == "" {
		return unsupportedMedia("Content-Type", "Charset '%s' is not supported. Send UTF-8.",
			Clip(charset))
	}
	return nil
}

// bodyBytes reads the whole body, at most as many bytes of it, as sent and as decompressed, as
// BodyLimit says. Large ones are decompressed and parsed a few at a time, until read is called.
func (r *Request) bodyBytes() (text []byte, read func(), err error) {
	limit := r.BodyLimit
	sent := http.MaxBytesReader(r.Writer, r.HTTP.Body, limit)
	switch encoding := strings.ToLower(r.HTTP.Header.Get("Content-Encoding")); encoding {
	case "", "identity":
		if text, err = io.ReadAll(sent); err != nil {
			return nil, nil, readFault(err)
		}
		read, err = r.enterBodies(int64(len(text)))
		return text, read, err
	case "gzip":
		packed, err := io.ReadAll(sent) // a slow sender holds nothing up
		if err != nil {
			return nil, nil, readFault(err)
		}
		if read, err = r.enterBodies(limit); err != nil {
			return nil, nil, err
		}
		if text, err = gunzip(packed, limit); err != nil {
			read()
		}
		return text, read, err
	default:
		return nil, nil, unsupportedMedia("Content-Encoding",
			"Content-Encoding '%s' is not supported. Send gzip or none.", Clip(encoding))
	}
}

func gunzip(packed []byte, limit int64) ([]byte, error) {
	z, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, readFault(err)
	}
	text := bytes.NewBuffer(make([]byte, 0, min(unpackedSize(packed), limit)+bytes.MinRead))
	if _, err := text.ReadFrom(io.LimitReader(z, limit+1)); err != nil {
		return nil, readFault(err)
	}
	if int64(text.Len()) > limit {
		return nil, bodyTooLarge(limit)
	}
	return text.Bytes(), nil
}

// unpackedSize is what gzip says that it has unpacked (RFC 1952, section 2.3.1: ISIZE). It need not
// be so.
func unpackedSize(packed []byte) int64 {
	return int64(binary.LittleEndian.Uint32(packed[max(0, len(packed)-4):]))
}

// readFault says why a body cannot be read.
func readFault(err error) error {
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return bodyTooLarge(tooLarge.Limit)
	case errors.Is(err, gzip.ErrHeader), errors.Is(err, gzip.ErrChecksum),
		errors.Is(err, io.ErrUnexpectedEOF),
		errors.Is(err, io.EOF):
		return BadRequest("",
			"The request body breaks off or is not what its Content-Encoding says.")
	default:
		return BadRequest("", "The request body cannot be read.")
	}
}
