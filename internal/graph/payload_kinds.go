package graph

import (
	"path"
	"slices"

	"github.com/syncpayloads/syncpayloads/internal/catalog"
	"github.com/syncpayloads/syncpayloads/internal/odata"
)

// payloadKind is a collection of policies or apps as the surface serves it: what the catalog says
// of it, and what only the surface needs to know. Its types are the forms that platforms bring.
type payloadKind struct {
	of          *catalog.Collection
	rights      rightsOf
	object      string   // what the audit record calls one
	category    string   // of auditEvent
	stable      bool     // Graph has it in v1.0, too
	setByServer []string // as resource has them, and the next
	largestBody int64
}

// resource is the collection as routes know it.
func (k *payloadKind) resource() *resource {
	return &resource{name: k.set(), path: odata.BetaPath + k.path(), odataType: k.odataType(),
		object: k.object, noun: k.of.One, category: k.category,
		stable: k.stable, tagged: true, casts: k != policies, setByServer: k.setByServer,
		largestBody: k.largestBody}
}

func (k *payloadKind) path() string { return k.of.Path }

// set is the last part of the path: mobileApps.
func (k *payloadKind) set() string { return path.Base(k.of.Path) }

// odataType is the type from which those of the collection derive.
func (k *payloadKind) odataType() odata.TypeName { return odata.TypeName(k.of.Base) }

// assignment is the type of the collection's assignments.
func (k *payloadKind) assignment() odata.TypeName { return odata.TypeName(k.of.AssignmentType) }

// kinds are the collections whose payloads are served as their properties are (Microsoft Graph beta
// reference).
var kinds = []*payloadKind{
	{
		of: catalog.Configurations, rights: configurationRights, object: "deviceConfiguration",
		category: categoryConfiguration, stable: true,
		setByServer: []string{"id", "createdDateTime", "lastModifiedDateTime", "version",
			"supportsScopeTags"},
		largestBody: fileBody,
	},
	{
		of: catalog.Apps, rights: appRights, object: "mobileApp", category: categoryApplication,
		stable: true,
		setByServer: []string{"id", "createdDateTime", "lastModifiedDateTime", "version",
			"uploadState", "publishingState", "isAssigned",
			"dependentAppCount", "supersedingAppCount", "supersededAppCount", "totalLicenseCount",
			"usedLicenseCount", "committedContentVersion", "size", "fileName",
			"expirationDateTime"},
		largestBody: fileBody,
	},
	{
		of: catalog.AppConfigurations, rights: appRights, object: "mobileAppConfiguration",
		category: categoryApplication, stable: true,
		setByServer: []string{"id", "createdDateTime", "lastModifiedDateTime", "version"},
		largestBody: documentBody,
	},
}

// payloadKinds are all collections.
func payloadKinds() []*payloadKind { return append(slices.Clone(kinds), policies) }

// The properties of a file.
const (
	filePropertyName    = "payloadFileName"
	filePropertyContent = "payload"
)

// readOnlyProperties are those of every payload that only the server sets.
var readOnlyProperties = odata.Properties{{"id", odata.String}, {"createdDateTime", odata.DateTime},
	{"lastModifiedDateTime", odata.DateTime},
	{"version", odata.Int32}}

// fileProperties are those of a type that is made of a file.
var fileProperties = odata.Properties{{filePropertyName, odata.String},
	{filePropertyContent, odata.Binary}}

// formOf finds a type of the collection by its @odata.type without '#'; nil if it has none of that
// name.
func (k *payloadKind) formOf(forms *catalog.Forms, odataType string) *catalog.Form {
	for _, form := range forms.In(k.of) {
		if odata.GraphNamespace+form.Type == odataType {
			return form
		}
	}
	return nil
}

// formProperties are the properties of a form, or of its collection.
func formProperties(list []catalog.Property) odata.Properties {
	all := make(odata.Properties, len(list))
	for i, p := range list {
		all[i] = odata.Property{p.Name, formType(p.Type)}
	}
	return all
}

// formType is the type of a form's property, as $metadata has it.
func formType(t catalog.Type) odata.TypeName {
	if t.Many {
		return odata.CollectionOf(odata.TypeName(t.Name))
	}
	return odata.TypeName(t.Name)
}

// ownProperties are those of a form that only it and its collection have: bodies set them, and the
// catalog keeps them.
func ownProperties(form *catalog.Form) odata.Properties {
	return append(formProperties(form.Collection.Properties), formProperties(form.Properties)...)
}

// everyProperties are those that every payload of a collection has beside the read-only ones.
var everyProperties = odata.Properties{{"displayName", odata.String}, {"description", odata.String},
	{tagProperty, odata.CollectionOf(odata.String)}}

// writable are the properties that a body may have.
func writable(form *catalog.Form) odata.Properties {
	all := append(slices.Clone(everyProperties), ownProperties(form)...)
	if form.File {
		all = append(all, fileProperties...)
	}
	return all
}

// readOnly are the properties that only the server sets.
func (k *payloadKind) readOnly() odata.Properties {
	if k.of.Versioned {
		return slices.Clone(readOnlyProperties)
	}
	return readOnlyProperties.Without("version")
}

// castsTo reports whether a payload is of the type to which the path casts it.
func (c *call) castsTo(p *catalog.Payload) bool {
	cast := string(c.req.Cast())
	if cast == "" || cast == p.ODataType {
		return true
	}
	form := c.config.Forms.Of(p.ODataType)
	return form != nil && form.Base == cast
}
