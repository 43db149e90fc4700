package odata

import (
	"slices"
	"strconv"
	"strings"
)

// Enum is an enumeration of $metadata.
type Enum struct {
	Name    TypeName
	Flags   bool // values combine members
	Members []EnumMember
	// Facts tell more of the enumeration itself, under an empty name, and of its members.
	Facts map[string]Fact
}

// EnumMember is a member of an enumeration.
type EnumMember struct {
	Name  string
	Value int64
}

// UnknownFutureValue stands for a member that an enumeration does not have. Those that an
// enumeration has after it were added later, and are shown to callers who say that they know them
// (Microsoft Graph, evolvable enumerations).
const UnknownFutureValue = "unknownFutureValue"

// Sequence numbers members from 0.
func Sequence(name TypeName, members ...string) *Enum {
	e := &Enum{Name: name}
	for i, member := range members {
		e.Members = append(e.Members, EnumMember{Name: member, Value: int64(i)})
	}
	return e
}

// Numbered reads members, each followed by its number. What is no number panics.
func Numbered(name TypeName, members string) *Enum {
	e := &Enum{Name: name}
	words := strings.Fields(members)
	for i := 0; i+1 < len(words); i += 2 {
		n, err := strconv.ParseInt(words[i+1], 10, 64)
		if err != nil {
			panic("odata: a member of " + string(name) + ": " + err.Error())
		}
		e.Members = append(e.Members, EnumMember{Name: words[i], Value: n})
	}
	return e
}

// Flags reads members as Numbered does; values combine them.
func Flags(name TypeName, members string) *Enum {
	e := Numbered(name, members)
	e.Flags = true
	return e
}

// sentinel is the number of unknownFutureValue; false if the enumeration does not have it.
func (e *Enum) sentinel() (int64, bool) {
	i := slices.IndexFunc(e.Members,
		func(m EnumMember) bool { return m.Name == UnknownFutureValue })
	if i < 0 {
		return 0, false
	}
	return e.Members[i].Value, true
}

// late reports whether a member was added after unknownFutureValue.
func (e *Enum) late(member string) bool {
	last, ok := e.sentinel()
	return ok && slices.ContainsFunc(e.Members, func(m EnumMember) bool {
		return m.Name == member && m.Value > last
	})
}

// evolved reports whether there are such members.
func (e *Enum) evolved() bool {
	return slices.ContainsFunc(e.Members, func(m EnumMember) bool { return e.late(m.Name) })
}

// known is a member, or of flags a list of them, as callers see it who know the members up to
// unknownFutureValue.
func (e *Enum) known(value string) string {
	members := strings.Split(value, ",")
	for i, member := range members {
		if e.late(member) {
			members[i] = UnknownFutureValue
		}
	}
	return strings.Join(slices.Compact(members), ",")
}
