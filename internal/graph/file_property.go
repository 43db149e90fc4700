package graph

import "github.com/syncpayloads/syncpayloads/internal/catalog"

// readFile reads an Edm.Binary property. JSON carries it in base64 (OData JSON format).
func readFile(o *object, name string) ([]byte, error) {
	text, err := o.requiredText(name)
	if err != nil {
		return nil, err
	}
	file, err := catalog.DecodeBase64(text)
	if err != nil {
		return nil, badRequest(o.at(name), "Property '%s' must be base64.", o.at(name))
	}
	return file, nil
}
