package graph

import (
	"slices"
	"strconv"
	"strings"
)

// sequence numbers members from 0.
func sequence(name typeName, members ...string) *schemaEnum {
	e := &schemaEnum{name: name}
	for i, member := range members {
		e.members = append(e.members, schemaMember{member, int64(i)})
	}
	return e
}

// numbered reads members, each with its number behind it.
func numbered(name typeName, members string) *schemaEnum {
	e := &schemaEnum{name: name}
	words := strings.Fields(members)
	for i := 0; i+1 < len(words); i += 2 {
		n, err := strconv.ParseInt(words[i+1], 10, 64)
		if err != nil {
			panic("graph: a member of " + string(name) + ": " + err.Error())
		}
		e.members = append(e.members, schemaMember{words[i], n})
	}
	return e
}

// flags are members that values combine.
func flags(name typeName, members string) *schemaEnum {
	e := numbered(name, members)
	e.flags = true
	return e
}

// schemaEnum is an enumeration of $metadata.
type schemaEnum struct {
	name    typeName
	flags   bool
	members []schemaMember
}

type schemaMember struct {
	name  string
	value int64
}

// sentinel is the number of unknownFutureValue; false if the enumeration does not have it.
func (e *schemaEnum) sentinel() (int64, bool) {
	i := slices.IndexFunc(e.members, func(m schemaMember) bool { return m.name == unknownFutureValue })
	if i < 0 {
		return 0, false
	}
	return e.members[i].value, true
}

// late reports whether a member was added behind unknownFutureValue.
func (e *schemaEnum) late(member string) bool {
	last, ok := e.sentinel()
	return ok && slices.ContainsFunc(e.members, func(m schemaMember) bool { return m.name == member && m.value > last })
}

// evolved reports whether there are such members.
func (e *schemaEnum) evolved() bool {
	return slices.ContainsFunc(e.members, func(m schemaMember) bool { return e.late(m.name) })
}

// known is a member, or of flags a list of them, for who knows those up to unknownFutureValue.
func (e *schemaEnum) known(value string) string {
	members := strings.Split(value, ",")
	for i, member := range members {
		if e.late(member) {
			members[i] = unknownFutureValue
		}
	}
	return strings.Join(slices.Compact(members), ",")
}
