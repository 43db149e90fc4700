package graph

import (
	"errors"
	"net/http"
	"regexp"
	"slices"

	"github.com/syncpayloads/syncpayloads/internal/access"
	"github.com/syncpayloads/syncpayloads/internal/audit"
	"github.com/syncpayloads/syncpayloads/internal/catalog"
	"github.com/syncpayloads/syncpayloads/internal/invalid"
	"github.com/syncpayloads/syncpayloads/internal/odata"
)

// What is done to the assignments of a payload one by one. Each is done to all of them as they
// stand, as …/assign does it.
var (
	toCountAssignments = &verb{name: "countAssignments", method: "GET",
		suffix: "/{id}/" + partAssignments + odata.CountSuffix, part: partAssignments}
	toGetAssignment = &verb{name: "getAssignment", method: "GET",
		suffix: "/{id}/" + partAssignments + "/{assignment}", part: partAssignments}
	toAddAssignment = &verb{name: "addAssignment", method: "POST", kind: audit.Act,
		suffix: "/{id}/" + partAssignments, part: partAssignments, conditional: true}
	toRemoveAssignment = &verb{name: "removeAssignment", method: "DELETE", kind: audit.Act,
		suffix: "/{id}/" + partAssignments + "/{assignment}", part: partAssignments,
		conditional: true}
)

func (k *payloadKind) assignmentRoutes() []route {
	r, read, assign := k.resource(), may(k.rights.read), may(k.rights.assign)
	return []route{
		r.route(toCountAssignments, read, nil, k.countAssignments).answering(k.assignment()),
		r.route(toGetAssignment, read, []string{odata.OptionSelect}, k.getAssignment).
			answering(k.assignment()),
		r.route(toAddAssignment, assign, nil, k.addAssignment).answering(k.assignment()),
		r.route(toRemoveAssignment, assign, nil, k.removeAssignment).answering(k.assignment()),
	}
}

func (k *payloadKind) countAssignments(c *call) error {
	p, err := k.find(c)
	if err != nil {
		return err
	}
	list, err := c.assignments(p.ID)
	if err != nil {
		return err
	}
	return c.req.ReplyCount(len(list))
}

// assigned finds the assignment that the path names among a payload's; -1: it has none of that id.
func (c *call) assignedAs(p *catalog.Payload, list []catalog.Assignment) int {
	id := lower(c.req.PathValue("assignment"))
	return slices.IndexFunc(list, func(a catalog.Assignment) bool {
		return lower(assignmentID(p, a)) == id || lower(a.ID) == id
	})
}

func (k *payloadKind) getAssignment(c *call) error {
	selected, err := c.selected(newShape(k.of.AssignmentType, nil))
	if err != nil {
		return err
	}
	p, err := k.find(c)
	if err != nil {
		return err
	}
	list, err := c.assignments(p.ID)
	if err != nil {
		return err
	}
	i := c.assignedAs(p, list)
	if i < 0 {
		return odata.NotFound("There is no assignment with this id.")
	}
	return c.req.ReplyObject(http.StatusOK, k.assignmentSet(p),
		pickedOf(k.assignmentFields(c, p, list[i]), selected))
}

func (k *payloadKind) assignmentSet(p *catalog.Payload) string {
	return k.path() + "/" + string(p.ID) + "/" + partAssignments
}

// addAssignment adds one to those that the payload has.
func (k *payloadKind) addAssignment(c *call) error {
	body, err := c.req.ReadBody()
	if err != nil {
		return err
	}
	body.Is(k.assignment())
	a, err := k.readAssignment(body)
	if err != nil {
		return err
	}
	var settings *assignmentSettings
	if k.of.Intent {
		if settings, err = readSettings(body); err != nil {
			return err
		}
	}
	p, err := k.find(c)
	if err != nil {
		return err
	}
	edit, err := settle(p, []*assignmentSettings{settings})
	if err != nil {
		return err
	}
	if edit != nil {
		return odata.BadRequest("settings", "Property 'settings' would change the app itself here. "+
			"Send all of its assignments to …/assign, or change the app.")
	}
	list, err := k.reassign(c, p, func(list []catalog.Assignment) ([]catalog.Assignment, error) {
		a.Target = lower(a.Target)
		return append(list, a), nil
	})
	if err != nil {
		return err
	}
	made := list[len(list)-1]
	set := k.assignmentSet(p)
	c.req.Writer.Header().Set("Location", c.req.URL(set+"/"+assignmentID(p, made)))
	return c.req.ReplyObject(http.StatusCreated, set, k.assignmentFields(c, p, made))
}

func (k *payloadKind) removeAssignment(c *call) error {
	p, err := k.find(c)
	if err != nil {
		return err
	}
	_, err = k.reassign(c, p, func(list []catalog.Assignment) ([]catalog.Assignment, error) {
		i := c.assignedAs(p, list)
		if i < 0 {
			return nil, odata.NotFound("There is no assignment with this id.")
		}
		return slices.Delete(list, i, i+1), nil
	})
	if err != nil {
		return err
	}
	return c.req.ReplyNoContent()
}

// reassign changes the assignments that a payload has. If somebody else changes them meanwhile, the
// caller is told to look again.
func (k *payloadKind) reassign(c *call, p *catalog.Payload,
	change func([]catalog.Assignment) ([]catalog.Assignment, error)) ([]catalog.Assignment, error) {
	current, err := c.config.Catalog.Assignments(c.req.Context(), p.ID)
	if err != nil {
		return nil, err
	}
	was := assignmentsTag(current)
	list, err := change(slices.Clone(current))
	if err != nil {
		return nil, err
	}
	if err := c.mayChange(access.Change{Payload: p.ID, Targets: list}); err != nil {
		return nil, asOne(err)
	}
	list, err = c.config.Catalog.Assign(c.req.Context(), p.ID, list, c.sameAssignments,
		func(_ *catalog.Payload, now []catalog.Assignment) error {
			if assignmentsTag(now) == was {
				return nil
			}
			return &odata.Fault{Status: http.StatusConflict, Code: odata.CodeConflict,
				Message: "The assignments changed meanwhile. Nothing was changed. Try again."}
		})
	return list, asOne(err)
}

// asOne gives a refusal of the whole list the name that the property has in the one assignment that
// the body is.
func asOne(err error) error {
	var wrong *invalid.Input
	if errors.As(err, &wrong) {
		if found := ofAssignment.FindStringSubmatch(wrong.Property); found != nil {
			return &invalid.Input{Property: found[1], Reason: wrong.Reason}
		}
	}
	return err
}

var ofAssignment = regexp.MustCompile(`^assignments\[[0-9]+\]\.(.+)$`)
