package payload

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/google/uuid"

	"github.com/syncpayloads/syncpayloads/internal/catalog"
)

// grouping is what a group's values become.
type grouping uint8

const (
	aPayload         grouping = iota // each a payload of the profile
	aDictionary                      // the one that there may be: a dictionary
	someDictionaries                 // an array of dictionaries
	someLists                        // an array of arrays
	anyKeys                          // the keys of a dictionary, each with its value
)

// Setting is one setting that a policy may have: a key of a payload, or a payload itself. Its
// platforms are MacOS, and IOS for iOS and iPadOS.
type Setting struct {
	catalog.Setting
	Parent *Setting
	// Children are those of a group; of a choice that has them, that of each option.
	Children []*Setting

	payloadType string
	grouping    grouping
	// path are the keys of the dictionaries, in those of a preference domain, that it is in.
	path []string
	// kept says that it is kept and given back, and is in no profile.
	kept bool
}

// Root is the setting of the payload that s is part of.
func (s *Setting) Root() *Setting {
	for s.Parent != nil {
		s = s.Parent
	}
	return s
}

// child returns the child with an id; nil if there is none.
func (s *Setting) child(id string) *Setting {
	if i := slices.IndexFunc(s.Children, func(c *Setting) bool { return c.ID == id }); i >= 0 {
		return s.Children[i]
	}
	return nil
}

// Settings lists the settings that a policy may have, by ascending id, after that one, at most
// limit.
func Settings(after string, limit int) []*Setting {
	all := settings().sorted
	from, found := slices.BinarySearchFunc(all, after,
		func(s *Setting, id string) int { return strings.Compare(s.ID, id) })
	if found {
		from++
	}
	return all[from:min(len(all), from+max(limit, 0))]
}

// FindSetting returns the setting with this id; nil if there is none.
func FindSetting(id string) *Setting { return settings().byID[id] }

// knownSettings is the table as the catalog knows it.
type knownSettings struct{}

// Find implements catalog.SettingTable.
func (knownSettings) Find(id string) *catalog.Setting {
	if s := FindSetting(id); s != nil {
		return &s.Setting
	}
	return nil
}

// After implements catalog.SettingTable.
func (knownSettings) After(id string, limit int) []*catalog.Setting {
	page := Settings(id, limit)
	list := make([]*catalog.Setting, len(page))
	for i, s := range page {
		list[i] = &s.Setting
	}
	return list
}

// settingTable is all settings that there are.
type settingTable struct {
	byID   map[string]*Setting
	byType map[string][]*Setting // the payloads of a type: Apple has several of some
	sorted []*Setting            // by id
}

// settings is the table of settings.txt.
var settings = sync.OnceValue(func() *settingTable {
	t, err := readSettingTable(settingsText)
	if err != nil {
		panic("payload: settings.txt: " + err.Error())
	}
	return t
})

// categorySpace is the UUIDv5 namespace (RFC 9562) of the categories of settings.
var categorySpace = uuid.MustParse("c1f6d7ce-6a0e-4a51-8a3c-2f0f5f1f9b0e")

// describe sets what Graph tells of a setting beyond its value: a category is a payload.
func (s *Setting) describe() {
	root := s.Root()
	s.RootID, s.Technologies, s.Category = root.ID, technologies, root.Title
	s.CategoryID = uuid.NewSHA1(categorySpace, []byte(root.ID)).String()
	s.HelpText = fmt.Sprintf("%s of %s.", s.Key, s.payloadType)
	if s == root {
		s.HelpText = fmt.Sprintf("A payload of %s.", s.payloadType)
	}
	s.Keywords = []string{s.Key, root.Title, s.payloadType}
}

func newSettingTable(roots []*Setting) *settingTable {
	t := &settingTable{byID: make(map[string]*Setting), byType: make(map[string][]*Setting)}
	for _, root := range roots {
		t.byType[root.payloadType] = append(t.byType[root.payloadType], root)
	}
	var add func(list []*Setting)
	add = func(list []*Setting) {
		for _, s := range list {
			s.describe()
			for _, child := range s.Children {
				s.ChildIDs = append(s.ChildIDs, child.ID)
			}
			if t.byID[s.ID] == nil { // those who pick a type are alike within a payload type
				t.byID[s.ID] = s
				t.sorted = append(t.sorted, s)
			}
			add(s.Children)
		}
	}
	add(roots)
	slices.SortFunc(t.sorted, func(a, b *Setting) int { return cmp.Compare(a.ID, b.ID) })
	return t
}
