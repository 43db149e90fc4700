package payload

import (
	_ "embed"
	"errors"
	"fmt"
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
