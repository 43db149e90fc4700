package graph

import (
	"github.com/syncpayloads/syncpayloads/internal/catalog"
	"github.com/syncpayloads/syncpayloads/internal/odata"
)

// readFile reads an Edm.Binary property. JSON carries it in base64 (OData JSON format).
func readFile(o *odata.Object, name string) ([]byte, error) {
	text, err := o.RequiredText(name)
	if err != nil {
		return nil, err
	}
	file, err := catalog.DecodeBase64(text)
	if err != nil {
		return nil, odata.BadRequest(o.At(name), "Property '%s' must be base64.", o.At(name))
	}
	return file, nil
}
