package main

import (
	"bufio"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/syncpayloads/syncpayloads/internal/graph/model"
)

// primitives are the types that the SDK's readers of a value stand for.
var primitives = map[string]string{"GetStringValue": "String", "GetBoolValue": "Boolean",
	"GetInt32Value": "Int32", "GetInt64Value": "Int64", "GetFloat32Value": "Single",
	"GetFloat64Value": "Double", "GetByteValue": "Byte", "GetByteArrayValue": "Binary",
	"GetUUIDValue": "Guid", "GetTimeValue": "DateTimeOffset", "GetDateOnlyValue": "Date",
	"GetTimeOnlyValue": "TimeOfDay", "GetISODurationValue": "Duration"}

// elements are the types that the SDK's names of an element's type stand for.
var elements = map[string]string{"string": "String", "bool": "Boolean", "int32": "Int32",
	"int64": "Int64", "float64": "Double", "uuid": "Guid", "time": "DateTimeOffset"}

// What is read of the SDK's source: a struct with the one that it embeds, a reader of a property
// with what it reads, and the members of an enumeration.
var (
	structLine   = regexp.MustCompile(`^type (\w+) struct \{`)
	embeddedLine = regexp.MustCompile(`^\s+([A-Z]\w*)$`)
	propertyLine = regexp.MustCompile(`^\s+res\["(\w+)"\] = func`)
	readerLine   = regexp.MustCompile(`^\s+val, err := n\.(\w+)\((.*)\)$`)
	enumLine     = regexp.MustCompile(`^type (\w+) int$`)
	membersLine  = regexp.MustCompile(`^\s+(?:return|options :=) \[\]string\{(.*?)\}`)
	readName     = regexp.MustCompile(`^(?:Parse(\w+)|Create(\w+)FromDiscriminatorValue)$`)
)

// pageOfList is what the SDK derives the pages of lists from. Those are no types of Graph's.
const pageOfList = "baseCollectionPaginationCountResponse"

// readSDK reads the types of the directory `models` of Microsoft's beta SDK for Go, and from the
// declarations for TypeScript what cannot be null; empty: nobody says, and all can.
func readSDK(dir, declarations string, add func(*typeInfo)) error {
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		return err
	}
	all := make(schema)
	for _, name := range files {
		if err := readModel(name, all); err != nil {
			return err
		}
	}
	if len(all) == 0 {
		return fmt.Errorf("%s has no types of the SDK", dir)
	}
	maps.DeleteFunc(all, func(_ string, t *typeInfo) bool { return t.Base == pageOfList })
	if declarations != "" {
		if err := all.readDeclarations(declarations); err != nil {
			return err
		}
	}
	for _, t := range all {
		if t.Kind != model.Enumeration && (t.Name == "entity" || all.derives(t.Name, "entity")) {
			t.Kind = model.Entity
		}
	}
	for _, t := range all {
		for i := range t.Properties {
			of := all[t.Properties[i].Type]
			t.Properties[i].Navigation = of != nil && of.Kind == model.Entity
		}
		add(t)
	}
	return nil
}

// readModel reads the types of a file of the SDK's.
func readModel(name string, all schema) error {
	file, err := os.Open(name)
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }()
	var t *typeInfo
	property, begun := "", false
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		line := lines.Text()
		if begun {
			if found := embeddedLine.FindStringSubmatch(line); found != nil {
				t.Base = lowerFirst(found[1])
			}
			begun = false
		}
		switch found := firstMatch(line); found.of {
		case structLine:
			t = &typeInfo{TypeInfo: model.TypeInfo{Name: lowerFirst(found.groups[1]),
				Kind: model.Complex}}
			all[t.Name], begun = t, true
		case enumLine:
			t = &typeInfo{TypeInfo: model.TypeInfo{Name: lowerFirst(found.groups[1]),
				Kind: model.Enumeration}, unnumbered: true}
			all[t.Name] = t
		case membersLine:
			if t != nil && t.Kind == model.Enumeration && t.Members == nil {
				t.setMembers(found.groups[1])
				t.Flags = strings.Contains(line, "options :=")
			}
		case propertyLine:
			property = found.groups[1]
		case readerLine:
			if t != nil && property != "" {
				t.addProperty(property, found.groups[1], found.groups[2])
				property = ""
			}
		}
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

type match struct {
	of     *regexp.Regexp
	groups []string
}

// firstMatch tells what a line is.
func firstMatch(line string) match {
	for _, of := range []*regexp.Regexp{structLine, enumLine, membersLine, propertyLine,
		readerLine} {
		if found := of.FindStringSubmatch(line); found != nil {
			return match{of, found}
		}
	}
	return match{}
}

// setMembers reads `"a", "b"`. The SDK does not tell their numbers.
func (t *typeInfo) setMembers(list string) {
	for quoted := range strings.SplitSeq(list, ", ") {
		t.Members = append(t.Members, model.Member{Name: strings.Trim(quoted, `"`)})
	}
}

// addProperty adds a property that a reader reads.
func (t *typeInfo) addProperty(name, reader, of string) {
	p := model.PropertyInfo{Name: name, Nullable: true,
		Collection: strings.HasPrefix(reader, "GetCollectionOf")}
	switch found := readName.FindStringSubmatch(of); {
	case found != nil:
		p.Type = lowerFirst(found[1] + found[2])
	case p.Collection:
		p.Type = elements[strings.Trim(of, `"`)]
	default:
		p.Type = primitives[reader]
	}
	if p.Type != "" {
		t.Properties = append(t.Properties, p)
	}
}

// lowerFirst is a name of Graph's, which the SDK begins with a capital.
func lowerFirst(name string) string {
	if name == "" {
		return ""
	}
	return strings.ToLower(name[:1]) + name[1:]
}

var (
	interfaceLine = regexp.MustCompile(`^export interface (\w+)(?: extends \w+)? \{$`)
	declaredLine  = regexp.MustCompile(`^    (\w+)\?: (NullableOption<)?`)
)

// readDeclarations says what cannot be null.
func (s schema) readDeclarations(name string) error {
	file, err := os.Open(name)
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }()
	var t *typeInfo
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		line := lines.Text()
		if strings.HasPrefix(line, "export namespace") {
			break // of other namespaces
		}
		if found := interfaceLine.FindStringSubmatch(line); found != nil {
			t = s[lowerFirst(found[1])]
			continue
		}
		found := declaredLine.FindStringSubmatch(line)
		if t == nil || found == nil {
			continue
		}
		i := slices.IndexFunc(t.Properties,
			func(p model.PropertyInfo) bool { return p.Name == found[1] })
		if i >= 0 {
			t.Properties[i].Nullable = found[2] != ""
		}
	}
	return lines.Err()
}
