package odata

import "net/http"

// Operation is what the protocol needs to know of one operation of a surface.
type Operation struct {
	// Method and Pattern are as http.ServeMux has them. The pattern begins with the version's path.
	Method  string
	Pattern string
	// Set is the path, without version and keys, of the collection or single thing that it answers
	// with.
	Set string
	// Answers is the type of what a GET answers with; empty: $metadata has none.
	Answers TypeName
	// List says that it answers with a list.
	List bool
	// Unchanging says that it changes nothing, whatever its method.
	Unchanging bool
	// Conditional says that it obeys If-Match.
	Conditional bool
	// PartTagged says that the entity tag is not that of all that is shown, so that it does not
	// tell whether an answer is the same as before.
	PartTagged bool
	// Casts says that the operation heeds Request.Cast: the things of its set are of several types.
	Casts bool
	// Takes is the type of the thing that its body is, or is a part of; empty: its body is none.
	Takes TypeName
	// SetByServer are the properties that only the server sets. Bodies may have them with any
	// value.
	SetByServer []string
	// Signature is that of an action or a function; the zero value: it takes and returns nothing.
	Signature Signature
}

// Signature is what an action or a function takes and returns. What a function takes is in its
// pattern.
type Signature struct {
	Parameters Properties
	Returns    TypeName // empty: nothing
}

// reads reports whether the operation changes nothing when it is called with this method.
func (o *Operation) reads(method string) bool { return o.Unchanging || IsSafe(method) }

// IsSafe reports whether a method changes nothing, whatever it is used on (RFC 9110, section
// 9.2.1).
func IsSafe(method string) bool { return method == http.MethodGet || method == http.MethodHead }
