package simulator

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
)

// maxBatch is how many requests a batch can have.
const maxBatch = 20

// batchRequest is one request of a batch.
type batchRequest struct {
	ID        string            `json:"id"`
	Method    string            `json:"method"`
	URL       string            `json:"url"` // below /beta
	Headers   map[string]string `json:"headers"`
	Body      json.RawMessage   `json:"body"`
	DependsOn []string          `json:"dependsOn"`
}

// batchResponse is its answer.
type batchResponse struct {
	ID      string            `json:"id"`
	Status  int               `json:"status"`
	Headers map[string]string `json:"headers"`
	Body    any               `json:"body,omitempty"`
}

// parseBatch reads the body of a batch.
func parseBatch(body []byte) ([]batchRequest, *refusal) {
	var batch struct {
		Requests []batchRequest `json:"requests"`
	}
	if err := json.Unmarshal(body, &batch); err != nil || len(batch.Requests) == 0 {
		return nil, badRequest("Invalid batch payload format.")
	}
	if len(batch.Requests) > maxBatch {
		return nil, badRequest("Number of batch request steps exceeds the maximum value of %d.",
			maxBatch)
	}
	seen := make(map[string]bool)
	for _, one := range batch.Requests {
		switch {
		case one.ID == "" || seen[one.ID]:
			return nil, badRequest("Each request of a batch needs an id of its own.")
		case one.Method == "" || one.URL == "":
			return nil, badRequest("Each request of a batch needs a method and a url.")
		case strings.Contains(one.URL, "$batch"):
			return nil, badRequest("A batch cannot be in a batch.")
		}
		for _, earlier := range one.DependsOn {
			if !seen[earlier] {
				return nil, badRequest("dependsOn must name an earlier request.")
			}
		}
		seen[one.ID] = true
	}
	return batch.Requests, nil
}

// serveBatch answers a batch with 200, whatever becomes of its requests. Each counts by itself.
func (s *Site) serveBatch(c *call) answer {
	requests, refused := parseBatch(c.in.body)
	if refused != nil {
		s.note(c.now, c.in, c, refused.status, Expected)
		return c.refuse(refused)
	}
	responses := []batchResponse{}
	failed := make(map[string]bool)
	for _, one := range requests {
		var a answer
		if dependencyFailed(one, failed) {
			a = c.refuse(&refusal{status: http.StatusFailedDependency, code: "FailedDependency",
				message: "A request that this one depends on has failed."})
		} else {
			a = s.serveStep(c, one)
		}
		if a.cut {
			return a
		}
		failed[one.ID] = a.status >= 400
		responses = append(responses, response(one.ID, a))
	}
	if s.faults.BatchOrder {
		s.random.Shuffle(len(responses), func(i, j int) {
			responses[i], responses[j] = responses[j], responses[i]
		})
	}
	return jsonAnswer(appendJSON(nil, map[string]any{"responses": responses}))
}

func dependencyFailed(one batchRequest, failed map[string]bool) bool {
	for _, earlier := range one.DependsOn {
		if failed[earlier] {
			return true
		}
	}
	return false
}

// serveStep serves one request of a batch.
func (s *Site) serveStep(c *call, one batchRequest) answer {
	header := make(http.Header)
	for name, value := range one.Headers {
		header.Set(name, value)
	}
	target, err := url.Parse(one.URL)
	if err != nil || target.IsAbs() || target.Host != "" {
		return c.refuse(badRequest("The url of a request in a batch must be relative."))
	}
	body := []byte(one.Body)
	if len(body) > 0 && header.Get("Content-Type") == "" {
		return c.refuse(badRequest("A request of a batch with a body needs a Content-Type."))
	}
	step := &call{site: s, now: c.now, tenant: c.tenant, caller: c.caller,
		in: inbound{method: strings.ToUpper(one.Method), query: target.RawQuery, header: header,
			path: "/beta/" + strings.TrimPrefix(target.EscapedPath(), "/"), body: body,
			base: c.in.base, batched: true}}
	return s.serveOne(step)
}

func response(id string, a answer) batchResponse {
	r := batchResponse{ID: id, Status: a.status, Headers: make(map[string]string)}
	for name := range a.header {
		r.Headers[name] = a.header.Get(name)
	}
	switch {
	case len(a.body) == 0:
	case strings.HasPrefix(a.header.Get("Content-Type"), "application/json"):
		r.Body = json.RawMessage(a.body)
	default:
		r.Body = a.body // base64, as Graph sends what is not JSON
	}
	return r
}
