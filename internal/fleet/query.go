package fleet

import "time"

// Field is an attribute of a device that a query can compare or sort by.
type Field uint8

const (
	ByID           Field = iota
	ByName               // text
	ByPlatform           // text
	ByManufacturer       // text
	ByModel              // text
	ByOSVersion          // text
	BySerialNumber       // text
	ByUDID               // text
	BySupervised         // bool
	ByUserEnrolled       // bool
	ByEnrolled           // bool
	ByEnrolledAt         // time
	ByLastSync           // time
)

// Operator compares a field with a value.
type Operator uint8

const (
	Equal Operator = iota
	NotEqual
	Less
	LessOrEqual
	Greater
	GreaterOrEqual
	Contains // of text, like the two below
	StartsWith
	EndsWith
)

// Condition is what a device must fulfil: a Comparison, an All, an Any or a Not.
type Condition interface{ condition() }

// Comparison holds a field against a value: a string, a bool or a time.Time after the field's kind, or nil, which
// equals an unknown value (empty text, zero time). Text is compared without regard to the case of ASCII letters. An
// unknown value is neither less nor greater than another.
type Comparison struct {
	Field    Field
	Operator Operator
	Value    any
}

// All is fulfilled when every condition is.
type All []Condition

// Any is fulfilled when at least one condition is.
type Any []Condition

// Not is fulfilled when its condition is not.
type Not struct{ Condition Condition }

func (Comparison) condition() {}
func (All) condition()        {}
func (Any) condition()        {}
func (Not) condition()        {}

// Query selects devices, in an order that has no ties: by OrderBy, then by id.
type Query struct {
	Where      Condition // nil: all
	OrderBy    Field     // ByID, ByName or ByLastSync
	Descending bool
	After      *Position // only what comes after it; nil: from the start
	Limit      int       // most devices to return; 0: no limit
}

// Position is a device's place in any of the orders: where the next page begins.
type Position struct {
	ID       DeviceID
	Name     string
	LastSync time.Time
}
