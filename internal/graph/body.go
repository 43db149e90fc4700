package graph

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

func bodyTooLarge(limit int64) *fault {
	return &fault{status: http.StatusRequestEntityTooLarge, code: codeTooLarge,
		message: fmt.Sprintf("The request body is larger than %d bytes.", limit)}
}

func unsupportedMedia(header, format string, args ...any) *fault {
	return &fault{status: http.StatusUnsupportedMediaType, code: codeMediaType, target: header,
		message: fmt.Sprintf(format, args...)}
}

// body reads the call's body as a JSON object, without what is ignored.
func (c *call) body() (*object, error) {
	if err := checkMediaType(c.r.Header); err != nil {
		return nil, err
	}
	text, read, err := c.bodyBytes()
	if err != nil {
		return nil, err
	}
	defer read()
	if len(text) == 0 {
		return nil, badRequest("", "The request needs a JSON object as its body.")
	}
	o, err := parseObject(text)
	if err == nil {
		o.leaveIgnored(&c.route)
	}
	return o, err
}

// noBody accepts a body without properties, as clients send with actions that have no parameters.
func (c *call) noBody() error {
	text, read, err := c.bodyBytes()
	if err != nil {
		return err
	}
	defer read()
	if len(text) == 0 {
		return nil
	}
	o, err := parseObject(text)
	if err != nil {
		return err
	}
	return o.only()
}

// checkMediaType accepts JSON in UTF-8, with OData's own parameters.
func checkMediaType(h http.Header) error {
	value := h.Get("Content-Type")
	media, params, err := mime.ParseMediaType(value)
	if err != nil || media != "application/json" {
		return unsupportedMedia("Content-Type", "Content-Type '%s' is not supported. Send application/json.", clip(value))
	}
	if charset, ok := params["charset"]; ok && !strings.EqualFold(charset, "utf-8") {
		return unsupportedMedia("Content-Type", "Charset '%s' is not supported. Send UTF-8.", clip(charset))
	}
	return nil
}

// bodyBytes reads the whole body, at most as many bytes of it, as sent and as decompressed, as the route takes. Large ones are
// decompressed and parsed a few at a time, until read is called.
func (c *call) bodyBytes() (text []byte, read func(), err error) {
	limit := c.bodyLimit()
	sent := http.MaxBytesReader(c.w, c.r.Body, limit)
	switch encoding := strings.ToLower(c.r.Header.Get("Content-Encoding")); encoding {
	case "", "identity":
		if text, err = io.ReadAll(sent); err != nil {
			return nil, nil, readFault(err)
		}
		read, err = c.enter(int64(len(text)))
		return text, read, err
	case "gzip":
		packed, err := io.ReadAll(sent) // who sends slowly holds nothing up
		if err != nil {
			return nil, nil, readFault(err)
		}
		if read, err = c.enter(limit); err != nil {
			return nil, nil, err
		}
		if text, err = gunzip(packed, limit); err != nil {
			read()
		}
		return text, read, err
	default:
		return nil, nil, unsupportedMedia("Content-Encoding", "Content-Encoding '%s' is not supported. Send gzip or none.", clip(encoding))
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

// unpackedSize is what gzip says that it has unpacked (RFC 1952, section 2.3.1: ISIZE). It need not be so.
func unpackedSize(packed []byte) int64 {
	return int64(binary.LittleEndian.Uint32(packed[max(0, len(packed)-4):]))
}

// readFault tells a body that breaks off or is not what its encoding says from one that is too large.
func readFault(err error) error {
	var tooLarge *http.MaxBytesError
	switch {
	case err == nil, errors.As(err, &tooLarge):
		return err
	case errors.Is(err, gzip.ErrHeader), errors.Is(err, gzip.ErrChecksum), errors.Is(err, io.ErrUnexpectedEOF),
		errors.Is(err, io.EOF):
		return badRequest("", "The request body breaks off or is not what its Content-Encoding says.")
	default:
		return badRequest("", "The request body cannot be read.")
	}
}
