package payload

import (
	_ "embed"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/syncpayloads/syncpayloads/internal/fleet"
)

//go:embed typed.txt
var typedText string

// typedConfiguration is one of Graph's types of configurations that have a property for each
// setting, and what becomes of each.
type typedConfiguration struct {
	name     string // Graph's type
	subType  string
	title    string
	platform fleet.Platform // IOS for iPhone and iPad
	lines    []*typedLine
	words    map[string]string // of members of enumerations, for people
}

// typedLine is one line of the table. It is one of four things.
type typedLine struct {
	number int

	payload *Setting // what follows inside goes into a payload of this type

	when   string // what follows inside holds if this property has one of these values
	values []string

	constant any // is set as well where something of what is beside it is set

	property string // says what becomes of a property
	kind     string
	of       string // Graph's type, if the kind does not say it
	members  []typedMember
	required bool
	// supervised says that only supervised devices obey it.
	supervised bool
	arguments  []string // of the kind
	reason     string   // why it is refused
	label      string
	hint       string
	least      int64
	greatest   int64
	factor     int64 // by which Apple's number is greater

	path   []string // of a constant or property: Apple's keys
	target *Setting // what is at the path; nil: any text
	inside []*typedLine
}

// typedMember is a member of an enumeration and what it becomes.
type typedMember struct {
	name    string
	value   any // nil: nothing is set
	refused bool
}

// typedConfigurations are those of typed.txt.
var typedConfigurations = sync.OnceValue(func() []*typedConfiguration {
	list, err := readTypedTable(typedText)
	if err != nil {
		panic("payload: typed.txt: " + err.Error())
	}
	return list
})

// readTypedTable reads the table: its head tells the form.
func readTypedTable(text string) ([]*typedConfiguration, error) {
	var all, open []*typedConfiguration
	words := make(map[string]string)
	var readers []*typedReader
	var faults []error
	for i, line := range strings.Split(text, "\n") {
		var err error
		switch {
		case strings.TrimSpace(line) == "" || strings.HasPrefix(line, "#"):
		case strings.HasPrefix(line, "~ "):
			member, meaning, _ := strings.Cut(line[2:], " ")
			words[member] = meaning
		case strings.HasPrefix(line, "["):
			open, err = readTypedHead(line, words)
			all, readers = append(all, open...), nil
			for _, c := range open {
				readers = append(readers, &typedReader{of: c, open: []*typedLine{}})
			}
		default:
			for _, r := range readers {
				err = errors.Join(err, r.read(i+1, line))
			}
		}
		if err != nil {
			faults = append(faults, fmt.Errorf("line %d: %w", i+1, err))
		}
	}
	return all, errors.Join(faults...)
}

// readTypedHead reads "[iosWiFiConfiguration iOS, macOSWiFiConfiguration macOS] wiFi Wi-Fi".
func readTypedHead(line string, words map[string]string) (list []*typedConfiguration, err error) {
	head, rest, ok := strings.Cut(strings.TrimPrefix(line, "["), "] ")
	subType, title, titled := strings.Cut(rest, " ")
	if !ok || !titled {
		return nil, fmt.Errorf("%q is not [type platform, …] subtype title", line)
	}
	for one := range strings.SplitSeq(head, ", ") {
		name, platform, _ := strings.Cut(one, " ")
		c := &typedConfiguration{name: name, subType: subType, words: words,
			platform: settingPlatforms[platform]}
		switch c.platform {
		case fleet.IOS:
			c.title = title + " for iPhone and iPad"
		case fleet.MacOS:
			c.title = title + " for Mac"
		default:
			return nil, fmt.Errorf("platform %q", platform)
		}
		list = append(list, c)
	}
	return list, nil
}

// typedReader reads the lines of one configuration.
type typedReader struct {
	of   *typedConfiguration
	open []*typedLine // what the line before is inside of, and itself
	skip int          // the depth of a line for another platform; 0: none
}

func (r *typedReader) read(number int, text string) error {
	depth := len(text) - len(strings.TrimLeft(text, "\t"))
	if r.skip > 0 && depth > r.skip {
		return nil
	}
	r.skip = 0
	if depth == 0 || depth > len(r.open)+1 {
		return errors.New("nothing holds it")
	}
	r.open = r.open[:depth-1]
	text = text[depth:]
	for name, platform := range settingPlatforms {
		if rest, only := strings.CutSuffix(text, " @"+name); only {
			if text = rest; platform != r.of.platform {
				r.skip = depth
				return nil
			}
		}
	}
	l := &typedLine{number: number}
	if err := r.readLine(l, text); err != nil {
		return err
	}
	if depth == 1 {
		r.of.lines = append(r.of.lines, l)
	} else {
		in := r.open[depth-2]
		in.inside = append(in.inside, l)
	}
	r.open = append(r.open, l)
	return nil
}

func (r *typedReader) readLine(l *typedLine, text string) (err error) {
	switch mark, rest, _ := strings.Cut(text, " "); mark {
	case ">":
		if l.payload = FindSetting(strings.ToLower(rest + "_" + rest)); l.payload == nil {
			return fmt.Errorf("payload type %q is not in settings.txt", rest)
		}
		return r.onPlatform(l.payload)
	case "?":
		name, values, _ := strings.Cut(rest, " = ")
		l.when, l.values = name, strings.Split(values, " | ")
		return nil
	case "+":
		key, value, _ := strings.Cut(rest, " ")
		if err = r.resolve(l, key); err == nil {
			l.constant, err = l.appleValue(value)
		}
		return err
	}
	text, said, _ := strings.Cut(text, " = ")
	l.label, l.hint, _ = strings.Cut(said, "; ")
	name, rest, ok := strings.Cut(text, ": ")
	if !ok {
		return fmt.Errorf("%q is not property: kind", text)
	}
	l.property = strings.TrimRight(name, "!^")
	l.required = strings.Contains(name, "!")
	l.supervised = strings.Contains(name, "^")
	words := strings.Fields(rest)
	l.kind, l.arguments = words[0], words[1:]
	return r.readKind(l, rest)
}

// typedKinds are the kinds of lines: what their arguments are.
var typedKinds = map[string]struct{ typed, keyed bool }{
	"on": {keyed: true}, "off": {keyed: true}, "both": {keyed: true}, "given": {keyed: true},
	"text": {keyed: true}, "secret": {keyed: true}, "texts": {keyed: true}, "first": {keyed: true},
	"data": {keyed: true}, "certificate": {keyed: true}, "subject": {keyed: true},
	"int": {keyed: true}, "long": {keyed: true}, "app": {keyed: true}, "apps": {keyed: true},
	"choice": {true, true}, "flags": {true, true}, "has": {true, true}, "pairs": {true, true},
	"objects": {true, true}, "object": {typed: true}, "note": {typed: true},
	"refuse": {typed: true},
}

func (r *typedReader) readKind(l *typedLine, rest string) error {
	kind, ok := typedKinds[l.kind]
	if !ok {
		return fmt.Errorf("kind %q", l.kind)
	}
	if kind.typed && len(l.arguments) > 0 {
		l.of, l.arguments = l.arguments[0], l.arguments[1:]
	}
	if l.kind == "refuse" {
		_, l.reason, _ = strings.Cut(strings.TrimPrefix(rest, "refuse "), " ")
		l.arguments = nil
		if l.reason == "" {
			return errors.New("no reason")
		}
		return nil
	}
	if kind.keyed || l.kind == "object" && len(l.arguments) > 0 {
		if len(l.arguments) == 0 {
			return errors.New("no key")
		}
		if err := r.resolve(l, l.arguments[0]); err != nil {
			return err
		}
		l.arguments = l.arguments[1:]
	}
	return l.readArguments()
}

// readArguments reads what the kind says behind its key.
func (l *typedLine) readArguments() (err error) {
	switch l.kind {
	case "choice", "flags":
		for _, text := range l.arguments {
			var m typedMember
			name, value, has := strings.Cut(text, "=")
			m.name, m.refused = strings.CutSuffix(name, "!")
			if has {
				if m.value, err = l.appleValue(value); err != nil {
					return err
				}
			}
			l.members = append(l.members, m)
		}
		if len(l.members) == 0 {
			return errors.New("no members")
		}
	case "int", "long":
		return l.readRange()
	case "given", "on", "off", "both", "has":
		_, err = l.yes(true)
	case "pairs":
		if len(l.arguments) != 2 {
			return errors.New("no names of key and value")
		}
	}
	return err
}

// readRange reads "1..730 *60"; without it a number is as Apple's key has it.
func (l *typedLine) readRange() (err error) {
	l.greatest, l.factor = math.MaxInt32, 1
	if l.kind == "long" {
		l.greatest = math.MaxInt64
	}
	if l.target != nil && l.target.Least != nil {
		l.least = *l.target.Least
	}
	if l.target != nil && l.target.Greatest != nil {
		l.greatest = *l.target.Greatest
	}
	for _, text := range l.arguments {
		least, greatest, isRange := strings.Cut(text, "..")
		if !isRange {
			l.factor, err = strconv.ParseInt(strings.TrimPrefix(text, "*"), 10, 64)
		} else if l.least, err = strconv.ParseInt(least, 10, 64); err == nil && greatest != "" {
			l.greatest, err = strconv.ParseInt(greatest, 10, 64)
		}
		if err != nil {
			return fmt.Errorf("range %q", text)
		}
	}
	return nil
}

// onPlatform checks that Apple has a setting on the configuration's platform.
func (r *typedReader) onPlatform(s *Setting) error {
	if !slices.Contains(s.Platforms, r.of.platform) {
		return fmt.Errorf("%s is not a key of %s", s.Key, platformName(r.of.platform))
	}
	return nil
}

// resolve finds Apple's key "Key/Key" in the table of settings. "-" is none, "." the thing itself,
// "0" the first element of a list, and "~" in a key a space.
func (r *typedReader) resolve(l *typedLine, keys string) error {
	if keys == "-" {
		return nil
	}
	l.path = strings.Split(strings.ReplaceAll(keys, "~", " "), "/")
	s, named := r.holder()
	for _, key := range l.path {
		switch {
		case key == "PayloadDisplayName":
			return nil
		case s == nil:
			return fmt.Errorf("no payload holds %q", keys)
		case key == "0":
			continue
		case key == ".":
			key = "item"
		}
		i := slices.IndexFunc(s.Children, func(c *Setting) bool { return c.Key == key })
		if i < 0 {
			return fmt.Errorf("%s has no key %q in settings.txt", named, key)
		}
		if s = s.Children[i]; r.onPlatform(s) != nil {
			return r.onPlatform(s)
		}
	}
	l.target = s
	return nil
}

// holder is the dictionary that the keys of a line are in.
func (r *typedReader) holder() (*Setting, string) {
	for _, l := range slices.Backward(r.open) {
		switch {
		case l.payload != nil:
			return l.payload, l.payload.Key
		case l.target != nil && len(l.path) > 0:
			return l.target, l.target.ID
		}
	}
	return nil, ""
}

// appleValue is what a value in the table is for Apple's key.
func (l *typedLine) appleValue(text string) (any, error) {
	s := l.target
	if s == nil {
		return text, nil
	}
	for _, o := range s.Options {
		if fmt.Sprint(o.Value) == text {
			return o.Value, nil
		}
	}
	if len(s.Options) > 0 {
		return nil, fmt.Errorf("%q is no value of %s", text, s.ID)
	}
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		return n, nil
	}
	return text, nil
}

// yes is what is set for true or false: some of Apple's keys have numbers for it, or the value that
// the table names.
func (l *typedLine) yes(on bool) (any, error) {
	if len(l.arguments) > 0 && l.kind == "on" {
		return l.arguments[0], nil
	}
	if l.target == nil || len(l.target.Options) == 0 {
		return nil, fmt.Errorf("%v is no boolean", l.path)
	}
	number := "0"
	if on {
		number = "1"
	}
	if l.target.Options[0].Value == true {
		return on, nil
	}
	return l.appleValue(number)
}
