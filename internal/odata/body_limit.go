package odata

// How many bytes a body may have, as sent and as decompressed.
const (
	OrdinaryBody = 256 << 10
	BatchBody    = 4 << 20 // as in Microsoft Graph
)

// bodiesAtOnce is how many bytes of larger than ordinary bodies are decompressed and parsed at the
// same time, for all callers together.
const bodiesAtOnce = 32 << 20

// enterBodies waits until a body of so many bytes may be decompressed and parsed; done lets others.
func (r *Request) enterBodies(bytes int64) (done func(), err error) {
	if bytes <= OrdinaryBody {
		return func() {}, nil
	}
	bytes = min(bytes, bodiesAtOnce)
	bodies := r.service.bodies
	if err := bodies.Acquire(r.Context(), bytes); err != nil {
		return nil, err
	}
	return func() { bodies.Release(bytes) }, nil
}
