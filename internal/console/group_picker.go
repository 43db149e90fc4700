package console

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"github.com/syncpayloads/syncpayloads/internal/access"
)

// groupPicker is the part of a form that chooses groups: those that are chosen, and those that a
// search finds. The script searches while somebody types. Without it, a button sends the form as it
// is filled in to the form's own page, which shows it again with what was found.
type groupPicker struct {
	// each says whether its devices get something; otherwise it is ticked or not
	Assign   bool
	One      bool          // one group, or none
	Looking  bool          // it is for the script, which knows what is chosen
	Groups   []groupChoice // the chosen ones first
	Readable bool          // the visitor may read groups
	Search   string
	Found    string // in words
	Page     string // the form's own; empty: the button sends the form to where it goes anyhow
}

type groupChoice struct {
	ID, Name         string
	Include, Exclude bool // what is ticked is included
}

// Way is how groups are chosen, as the script of the picker asks for it.
func (p groupPicker) Way() string {
	switch {
	case p.Assign:
		return "assign"
	case p.One:
		return "one"
	default:
		return "tick"
	}
}

// NoneChosen reports whether the form says that no group is chosen.
func (p groupPicker) NoneChosen() bool { return !p.Looking && len(p.Chosen()) == 0 }

// Chosen are the groups that are chosen.
func (p groupPicker) Chosen() []groupChoice {
	return slices.DeleteFunc(slices.Clone(p.Groups),
		func(g groupChoice) bool { return !g.Include && !g.Exclude })
}

const (
	groupsOffered  = 12  // how many a picker shows that are not chosen
	groupsNamed    = 50  // how many names are asked for at once: a filter has at most 4096 bytes
	longestSearch  = 256 // characters
	mostGroupsRead = 1000
)

// groupPicker shows the chosen groups, by name.
func (v *visit) groupPicker(chosen []groupChoice) (groupPicker, error) {
	ids := make([]string, len(chosen))
	for i, g := range chosen {
		ids[i] = g.ID
	}
	names, err := v.groupNames(ids)
	for i := range chosen {
		if name := names[chosen[i].ID]; name != "" {
			chosen[i].Name = name
		}
	}
	slices.SortFunc(chosen,
		func(a, b groupChoice) int { return byName(a.Name, b.Name, a.ID, b.ID) })
	return groupPicker{Groups: chosen, Readable: v.may(access.ReadGroups)}, err
}

// offer adds the groups that a search finds to a picker, as many as it shows.
func (v *visit) offer(p *groupPicker, search string) error {
	if !p.Readable {
		return nil
	}
	p.Search = searchOf(search)
	chosen := len(p.Groups)
	found, fitting, err := v.findGroups(p.Search, min(groupsOffered+chosen, mostGroupsRead))
	for _, g := range found {
		known := slices.ContainsFunc(p.Groups[:chosen],
			func(c groupChoice) bool { return c.ID == g.ID })
		if !known && len(p.Groups) < chosen+groupsOffered {
			p.Groups = append(p.Groups, groupChoice{ID: g.ID, Name: g.Name})
		}
	}
	p.Found = foundWords(p.Search, len(found), fitting)
	return err
}

// searchOf is what was typed, no longer than any name.
func searchOf(text string) string {
	letters := []rune(strings.TrimSpace(text))
	return string(letters[:min(len(letters), longestSearch)])
}

// foundWords say what a search has found, and how to find the rest.
func foundWords(search string, found, fitting int) string {
	switch {
	case fitting == 0 && search == "":
		return "There are no groups yet."
	case fitting == 0:
		return "No group fits."
	case search == "" && found >= fitting:
		return plural(fitting, "group") + "."
	case search == "":
		return fmt.Sprintf("%s; search to find those that are not listed.",
			plural(fitting, "group"))
	case fitting == 1:
		return "1 group fits."
	case found >= fitting:
		return fmt.Sprintf("%d groups fit.", fitting)
	default:
		return fmt.Sprintf("%d groups fit; type more of the name to find those that are not listed.", fitting)
	}
}

// findGroups reads the first groups, by name, whose names contain a text, and how many there are.
func (v *visit) findGroups(search string, most int) (found []group, fitting int, err error) {
	filter := ""
	if search != "" {
		filter = "contains(displayName," + quoted(search) + ")"
	}
	return v.listGroups(filter, most)
}

func (v *visit) listGroups(filter string, most int) ([]group, int, error) {
	options := url.Values{"$select": {"id,displayName,description,createdDateTime"},
		"$orderby": {"displayName"}, "$count": {"true"},
		"$top": {strconv.Itoa(most)}}
	if filter != "" {
		options.Set("$filter", filter)
	}
	var list struct {
		Value []group
		Count int `json:"@odata.count"`
	}
	err := v.get("/beta/groups", options, &list)
	return list.Value, list.Count, err
}

// groupNames are the names of groups by their ids, as far as there are such groups and the visitor
// may read them.
func (v *visit) groupNames(ids []string) (map[string]string, error) {
	names := make(map[string]string)
	if !v.may(access.ReadGroups) {
		return names, nil
	}
	var wanted []string
	for _, id := range ids {
		if uuid.Validate(id) == nil {
			wanted = append(wanted, quoted(id))
		}
	}
	wanted = slices.Compact(slices.Sorted(slices.Values(wanted)))
	for part := range slices.Chunk(wanted, groupsNamed) {
		found, _, err := v.listGroups("id in ("+strings.Join(part, ",")+")", len(part))
		if err != nil {
			return nil, err
		}
		for _, g := range found {
			names[g.ID] = g.Name
		}
	}
	return names, nil
}

// drafted is a form as it is filled in, sent to its own page by the button that finds groups; nil:
// it was not.
func (v *visit) drafted() url.Values {
	if query := v.r.URL.Query(); query.Has("find") {
		return query
	}
	return nil
}

// pickGroups answers the script of a picker: the groups that a search finds. `chosen` is how many
// are shown already.
func (v *visit) pickGroups() error {
	query := v.r.URL.Query()
	chosen, _ := strconv.Atoi(query.Get("chosen"))
	p := groupPicker{Assign: query.Get("as") == "assign", One: query.Get("as") == "one",
		Looking: true, Readable: true,
		Search: searchOf(query.Get("groups"))}
	found, fitting, err := v.findGroups(p.Search, min(groupsOffered+max(0, chosen), mostGroupsRead))
	if err != nil {
		return err
	}
	for _, g := range found {
		p.Groups = append(p.Groups, groupChoice{ID: g.ID, Name: g.Name})
	}
	p.Found = foundWords(p.Search, len(found), fitting)
	return v.render("group_pick", "Groups", p)
}
