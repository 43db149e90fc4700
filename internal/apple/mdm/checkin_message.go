package mdm

import (
	"net/http"

	"github.com/micromdm/nanomdm/mdm"
	"github.com/micromdm/plist"

	"github.com/syncpayloads/syncpayloads/internal/apple/propertylist/tolerant"
)

// checkinMembers are what check-ins tell that is used here, besides facts.
var checkinMembers = senderMembers(tolerant.Wanted{"MessageType": nil, "Topic": nil,
	"PushMagic": nil, "Token": nil,
	"TokenServiceType": nil})

// takeCheckin takes a check-in message and returns the answer, empty for most. A kind of message
// that is not known is refused: devices send new kinds to get something of the server (Apple,
// "Check-in"), and an empty answer would tell them that they have it. What is odd in a message of a
// known kind counts as not said.
func (c *Channel) takeCheckin(r *mdm.Request, body []byte) ([]byte, error) {
	d, damage := tolerant.Read(body, checkinMembers)
	kind := text(d, "MessageType")
	if kind == "" {
		return nil, refuse(http.StatusBadRequest, "not a check-in message: %s",
			withCause("it has no MessageType", damage))
	}
	e := enrollmentIn(d)
	if err := c.nameSender(r, &e); err != nil {
		return nil, err
	}
	head := mdm.MessageType{MessageType: kind}
	switch kind {
	case "Authenticate":
		return nil, c.Authenticate(r, &mdm.Authenticate{Enrollment: e, MessageType: head,
			Topic: text(d, "Topic"), Raw: body})
	case "TokenUpdate":
		token, _ := d["Token"].([]byte)
		return nil, c.TokenUpdate(r, &mdm.TokenUpdate{Enrollment: e, MessageType: head, Raw: body,
			Push: mdm.Push{PushMagic: text(d, "PushMagic"), Token: token, Topic: text(d, "Topic")}})
	case "CheckOut":
		return nil, c.CheckOut(r, &mdm.CheckOut{Enrollment: e, MessageType: head, Raw: body})
	case "UserAuthenticate":
		return c.UserAuthenticate(r, &mdm.UserAuthenticate{Enrollment: e, MessageType: head,
			Raw: body})
	case "SetBootstrapToken":
		return nil, c.SetBootstrapToken(r, &mdm.SetBootstrapToken{Enrollment: e, MessageType: head,
			Raw: body})
	case "GetBootstrapToken":
		token, err := c.GetBootstrapToken(r, &mdm.GetBootstrapToken{Enrollment: e,
			MessageType: head, Raw: body})
		if err != nil || token == nil {
			return nil, err
		}
		return plist.Marshal(token)
	case "DeclarativeManagement":
		return c.DeclarativeManagement(r, &mdm.DeclarativeManagement{Enrollment: e,
			MessageType: head, Raw: body})
	case "GetToken":
		_, err := c.GetToken(r, &mdm.GetToken{Enrollment: e, MessageType: head,
			TokenServiceType: text(d, "TokenServiceType"), Raw: body})
		return nil, err // none is served
	}
	return nil, refuse(http.StatusBadRequest, "check-in message of a kind that is not known: %.40q",
		kind)
}
