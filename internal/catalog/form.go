package catalog

import (
	"context"
	"crypto/x509"
	"encoding/json"

	"github.com/syncpayloads/syncpayloads/internal/action"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
)

// Form is one type of payload: what Graph calls it, which properties it has, and how what an admin
// says becomes what a channel installs. It is the only description of the type: bodies, $select,
// $filter, $metadata, the console's pages, the audit record, the preview and the channel read it. A
// platform brings its forms; no other room names one.
type Form struct {
	// Type is Graph's, without '#microsoft.graph.'.
	Type string
	// Base is the type that it derives from, if that is not its collection's: mobileLobApp.
	Base       string
	Collection *Collection
	// Platforms are all that it can be for. Content says for which of them a payload is.
	Platforms []fleet.Platform
	// Title is what people call it: App bought in volume.
	Title string
	// For is whose devices it is for, as people say it, where a file can become one of several
	// types.
	For string
	// File says that it is made of a file, which Graph calls payload, with its name in
	// payloadFileName.
	File bool
	// FileTypes are by what people find such a file: endings, with their dot, and media types.
	// FileHint is a sentence that tells them what it may be.
	FileTypes []string
	FileHint  string
	// Properties are those beyond the collection's, in the order in which they are shown.
	Properties []Property
	// Version is the property that tells people its version, where Graph has no version of its own.
	Version string
	// Settings are what a settings catalog policy can have; nil: it is none.
	Settings SettingTable
	// PolicyPlatforms and PolicyTechnologies are the words of Graph's that policies of the form
	// have in properties of those names. All policies are of one type, so that these tell to which
	// form one belongs.
	PolicyPlatforms, PolicyTechnologies []string
	Compiler                            Compiler
	// Refused says why nothing of this type can be made, for people who try. Such a form needs only
	// a type and a collection, and is none of those that a server keeps.
	Refused string
}

// Property is one property of a form.
type Property struct {
	Name string // Graph's
	Type Type
	// Shared says that $metadata declares it on the collection's base type, though types of other
	// platforms lack it.
	Shared bool
	// Filter says that $filter compares it. It must be a text, or true or false.
	Filter bool
	// Private says that it may hold secrets: the audit record leaves it out.
	Private bool
	// Document says that it holds a whole file, so that it may be longer than other texts.
	Document bool
	// Reference says that it is the id of a policy, or ids of several, and a relationship in Graph:
	// bodies may also give it as name@odata.bind, with addresses.
	Reference bool

	// Label and what follows are for people. Without a label it is set over the API alone.
	Label   string
	Hint    string
	Control Control
	// Options are those of a Choice, or, of an AppPicker, none: Apps are the types of apps to pick
	// from.
	Options []Option
	Apps    []string
	// Required says that it must be filled in.
	Required bool
	// Fixed says that it is chosen when the payload is made, and never changes.
	Fixed bool
	// On is what a Check is where nothing is said.
	On bool
	// InsteadOf names another property: where that is set, this one is not asked for.
	InsteadOf string
}

// Type is what a property holds.
type Type struct {
	// Name is Graph's, without its namespace.
	Name string
	// Many says that it is a collection of these.
	Many bool
	// Parts are the properties of a complex type.
	Parts []Property
	// Members are those of an enumeration, numbered from 0.
	Members []string
}

// The primitive types (OData CSDL 4.0, section 4.4).
var (
	Text     = Type{Name: "String"}
	Boolean  = Type{Name: "Boolean"}
	Int32    = Type{Name: "Int32"}
	Int64    = Type{Name: "Int64"}
	Binary   = Type{Name: "Binary"}
	DateTime = Type{Name: "DateTimeOffset"}
)

// ManyOf is the type of a collection of elements.
func ManyOf(t Type) Type {
	t.Many = true
	return t
}

// Control is how a person gives a value.
type Control uint8

const (
	NoControl Control = iota // over the API alone
	Line                     // a short text
	Paragraph                // a text of several lines
	Address                  // a URL
	Code                     // a property list, a script, …: a text, or Binary that holds one
	Check                    // yes or no
	Choice                   // one of the options
	AppPicker                // an app of the catalog; the property is a collection of ids
)

// Option is a value that can be chosen.
type Option struct {
	// Key stands for the value in the console's form; empty: nothing is chosen, and the value is
	// null.
	Key   string
	Value json.RawMessage
	// Text is what people call it.
	Text string
}

// Draft is a payload as its admin wants it.
type Draft struct {
	ID action.PayloadID
	// Old is the payload as it is; nil: it is new.
	Old *Payload
	// Version is the number that other content than the old one's gets.
	Version int64
	// File is a new file, and Read what the compiler read of it. Nil: none was sent, or it is the
	// one that there is.
	File []byte
	Read any
	// Properties are all that the payload is to have, and Changed those of them that are set now.
	Properties Properties
	Changed    Properties
}

// Content is what a draft comes to.
type Content struct {
	// Identifier is what the device knows it by. Of several with one identifier a device gets the
	// oldest. It never changes.
	Identifier string
	// IdentifiedBy is the property that the identifier comes from, for messages.
	IdentifiedBy string
	// Revision is how an inventory tells versions apart; empty: it cannot.
	Revision string
	// SubType is what kind of configuration it is, as itemSubTypeDisplayName says it.
	SubType string
	// Platforms are those that it is for. They never change. PlatformsBy is the property that says
	// so.
	Platforms   []fleet.Platform
	PlatformsBy string
	// Installed is what the channel installs. If it is another than before, the payload has a new
	// version.
	Installed []byte
	// Uploaded is the file as it was sent, where Installed had to differ from it; else nil.
	Uploaded []byte
}

// Lookup is what a compiler may ask of the catalog, within the transaction of the change.
type Lookup interface {
	// Payload returns a payload that whoever makes the change sees; else ErrNotFound.
	Payload(ctx context.Context, id action.PayloadID) (*Payload, error)
	// RevisionUsed reports whether any version of this payload, or of another one that has its
	// identifier on the same devices, had the revision.
	RevisionUsed(ctx context.Context, c *Content, revision string) (bool, error)
}

// Compiler is what only the platform of a form knows. Errors are an *invalid.Input where the draft
// is at fault.
type Compiler interface {
	// ReadFile reads a file that is to be a payload's. It runs before the transaction, and so may
	// take its time. What it returns comes back in Draft.Read. Forms without files are not asked.
	ReadFile(file []byte) (any, error)
	// Compile checks a draft and makes its content: the same for the same draft. It waits for
	// nothing, and may take properties out of the draft or add some.
	Compile(ctx context.Context, form *Form, d *Draft, look Lookup) (*Content, error)
	// Inspect tells what is in the content of a payload, or in a file that may become one.
	Inspect(content []byte) (*Inspection, error)
	// Risks tells by what taking a content off a device may cut the device off from a server.
	// server is the certificate chain that the server shows; empty: the enrollment brings what
	// devices must trust.
	Risks(content []byte, server []*x509.Certificate) ([]Risk, error)
}

// Shower is a compiler that can show a whole content as a text. What it shows has no secrets.
type Shower interface {
	Show(content []byte) (string, error)
}

// Inspection is what a person wants to know of a content without reading it.
type Inspection struct {
	// Facts are what it says of itself, in the order in which they are shown. Their names are as in
	// JSON.
	Facts []Fact
	// Parts are the things inside, if it holds several.
	Parts []Part
	// Settings is how many settings it has (Graph's settingCount).
	Settings int
	// Types are the types that such a file can become, the most likely first.
	Types []string
}

// Fact is one thing that a content says of itself. Value marshals to JSON.
type Fact struct {
	Name  string
	Value any
}

// Part is one thing inside of a content.
type Part struct{ Type, Identifier, DisplayName string }

// Risk is why a device may lose the server when a payload is taken off it.
type Risk struct {
	// Certain says that the server cannot be trusted without the payload; else it depends on what
	// the device uses.
	Certain bool
	Reason  string
}
