package mdm

import (
	"log/slog"

	"github.com/micromdm/nanolib/log"
)

// wireLog lets nanomdm log to slog. What it reports is a device's bad message, not a fault of the
// server.
type wireLog struct{ *slog.Logger }

var _ log.Logger = wireLog{}

func (l wireLog) Info(args ...any) {
	l.Logger.Info("device message refused",
		withoutContent(args)...)
}
func (l wireLog) Debug(args ...any) {
	l.Logger.Debug("device message",
		withoutContent(args)...)
}
func (l wireLog) With(args ...any) log.Logger { return wireLog{l.Logger.With(withoutContent(args)...)} }

// withoutContent drops whole message bodies: they are large and hold secrets such as push tokens.
// nanomdm's own "msg" becomes "step", because slog has a message already.
func withoutContent(args []any) []any {
	kept := make([]any, 0, len(args))
	for i := 0; i+1 < len(args); i += 2 {
		switch args[i] {
		case "content", "mdm-signature":
		case "msg":
			kept = append(kept, "step", args[i+1])
		default:
			kept = append(kept, args[i], args[i+1])
		}
	}
	return kept
}
