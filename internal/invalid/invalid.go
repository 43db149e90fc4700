// Package invalid holds the error for input that cannot be accepted as it is. It is a leaf: every
// package that checks what a caller sent returns it, the API turns it into a 400, and neither has
// to know the other.
package invalid

// Input says which property of a caller's input is wrong, and why. Its text may be shown to the
// caller.
type Input struct {
	Property string // as the caller wrote it, or would have to: displayName
	Reason   string // what is wrong, and what would be right
}

// Error implements error.
func (e *Input) Error() string { return e.Property + ": " + e.Reason }
