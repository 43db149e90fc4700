package graph

import (
	"github.com/syncpayloads/syncpayloads/internal/odata"
)

// deviceRelations are what Graph relates a device to, and of which there is nothing here.
var deviceRelations = odata.Properties{
	{"detectedApps", odata.CollectionOf("detectedApp")}, {"users", odata.CollectionOf("user")},
	{"deviceCategory", "deviceCategory"},
}

// expandStates is what $expand may name of one device alone: how its policies stand.
const expandStates = "deviceConfigurationStates"

// withRelated is a device with what $expand names.
func (c *call) withRelated(shown odata.Fields, expanded []string) (odata.Fields, error) {
	for _, name := range expanded {
		var value any = []odata.Fields{}
		switch name {
		case "deviceCategory":
			value = nil
		case expandStates:
			states, err := stateKinds[0].all(c)
			if err != nil {
				return nil, err
			}
			value = states
		}
		shown = append(shown, odata.Field{name, value})
	}
	return shown, nil
}

// all shows the states of the device that the path names.
func (k *stateKind) all(c *call) ([]odata.Fields, error) {
	states, err := k.states(c)
	if err != nil {
		return nil, err
	}
	shown := make([]odata.Fields, len(states))
	for i, s := range states {
		shown[i] = c.shown(k.shape, s.fields(c.server.explain), c.view(k.shape).names)
	}
	return shown, nil
}
