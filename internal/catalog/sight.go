package catalog

import "context"

type sightKey struct{}

// WithSight returns a context in which payloads whose scope tags sees does not accept are neither
// named nor referred to.
func WithSight(ctx context.Context, sees func(tags []string) bool) context.Context {
	return context.WithValue(ctx, sightKey{}, sees)
}

// sees reports whether a payload may be named to who asks. Without a sight all may.
func sees(ctx context.Context, p *Payload) bool {
	sight, ok := ctx.Value(sightKey{}).(func([]string) bool)
	return !ok || sight(p.Tags)
}
