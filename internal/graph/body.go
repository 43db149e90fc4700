package graph

import (
	"compress/gzip"
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

// body reads the call's body as a JSON object.
func (c *call) body() (*object, error) {
	if err := checkMediaType(c.r.Header); err != nil {
		return nil, err
	}
	text, err := c.bodyBytes()
	if err != nil {
		return nil, err
	}
	if len(text) == 0 {
		return nil, badRequest("", "The request needs a JSON object as its body.")
	}
	return parseObject(text)
}

// noBody accepts a body without properties, as clients send with actions that have no parameters.
func (c *call) noBody() error {
	text, err := c.bodyBytes()
	if err != nil || len(text) == 0 {
		return err
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
		return unsupportedMedia("Content-Type", "Content-Type '%s' is not supported. Send application/json.", value)
	}
	if charset, ok := params["charset"]; ok && !strings.EqualFold(charset, "utf-8") {
		return unsupportedMedia("Content-Type", "Charset '%s' is not supported. Send UTF-8.", charset)
	}
	return nil
}

// bodyBytes reads the whole body, at most bodyLimit bytes of it as sent and as decompressed.
func (c *call) bodyBytes() ([]byte, error) {
	limit := c.bodyLimit()
	sent := http.MaxBytesReader(c.w, c.r.Body, limit)
	switch encoding := strings.ToLower(c.r.Header.Get("Content-Encoding")); encoding {
	case "", "identity":
		text, err := io.ReadAll(sent)
		return text, readFault(err)
	case "gzip":
		return gunzip(sent, limit)
	default:
		return nil, unsupportedMedia("Content-Encoding", "Content-Encoding '%s' is not supported. Send gzip or none.", encoding)
	}
}

func gunzip(from io.Reader, limit int64) ([]byte, error) {
	z, err := gzip.NewReader(from)
	if err != nil {
		return nil, readFault(err)
	}
	text, err := io.ReadAll(io.LimitReader(z, limit+1))
	if err != nil {
		return nil, readFault(err)
	}
	if int64(len(text)) > limit {
		return nil, bodyTooLarge(limit)
	}
	return text, nil
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
