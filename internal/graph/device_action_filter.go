package graph

import (
	"github.com/syncpayloads/syncpayloads/internal/action"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
	"github.com/syncpayloads/syncpayloads/internal/odata"
	"github.com/syncpayloads/syncpayloads/internal/query"
)

const actionResultsProperty = "deviceActionResults"

// actionResultList is how $filter takes deviceActionResults: an action has one of few names and one
// of few states.
var actionResultList = func() *odata.ObjectList {
	var kinds []fleet.ActionKind
	list := &odata.ObjectList{Members: map[string][]string{"actionState": states}}
	for _, name := range []action.Name{action.SyncPayloads, action.ChangeAssignments} {
		for state := range states {
			kinds = append(kinds, fleet.ActionKind{Name: string(name), State: uint8(state)})
			list.Objects = append(list.Objects, map[string]string{
				"actionName":  string(name),
				"actionState": states[state],
			})
		}
	}
	list.HasOneOf = func(objects []int) query.Condition {
		var latest fleet.LatestAction
		for _, i := range objects {
			latest = append(latest, kinds[i])
		}
		return latest
	}
	return list
}()
