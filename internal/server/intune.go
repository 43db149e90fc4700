package server

import (
	"context"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/action"
	"github.com/syncpayloads/syncpayloads/internal/engine"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
	"github.com/syncpayloads/syncpayloads/internal/intune/channel"
)

// IntuneChannel is the channel to the devices of Intune tenants.
func (s *Server) IntuneChannel() *channel.Channel {
	for _, one := range s.platforms.channels {
		if found, ok := one.(*channel.Channel); ok {
			return found
		}
	}
	return nil
}

// lookFor is how long somebody who looks at a device waits for another system to tell of it.
const lookFor = 10 * time.Second

// lookingEngine is the engine as the Graph surface uses it: who looks at what a device has sees
// what its own management system told lately.
type lookingEngine struct {
	*engine.Engine
	intune *channel.Channel
}

// Payloads implements graph.Engine.
func (e lookingEngine) Payloads(ctx context.Context,
	id fleet.DeviceID) ([]*action.Payload, error) {
	e.look(ctx, id)
	return e.Engine.Payloads(ctx, id)
}

// look has it read what is assigned to a device, if that was not read lately. Where it cannot be
// read what is known is shown, and the tenant's health says why.
func (e lookingEngine) look(ctx context.Context, id fleet.DeviceID) {
	ctx, cancel := context.WithTimeout(ctx, lookFor)
	defer cancel()
	_ = e.intune.Refresh(ctx, id, channel.LookAge)
}
