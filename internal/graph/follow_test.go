package graph_test

import (
	"bufio"
	"encoding/json"
	"iter"
	"net/http"
	"strings"
)

// follow reads a stream's events until the reader has enough, or the server ends it.
func (s *site) follow(path, bearer string) iter.Seq[object] {
	s.t.Helper()
	r, err := http.NewRequestWithContext(s.t.Context(), "GET", s.URL+path, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+bearer)
	r.Header.Set("Accept", "application/x-ndjson")
	response, err := s.Client().Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = response.Body.Close() })
	if response.StatusCode != http.StatusOK {
		s.t.Fatalf("%s: %s", path, response.Status)
	}
	return func(yield func(object) bool) {
		lines := bufio.NewScanner(response.Body)
		for lines.Scan() {
			if strings.TrimSpace(lines.Text()) == "" {
				continue
			}
			var e object
			if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
				s.t.Fatal(err)
			}
			if !yield(e) {
				return
			}
		}
	}
}

// eventsUpTo are the events of a stream from the first one on, up to one of a type.
func (s *site) eventsUpTo(path, bearer, last string) (list []object) {
	s.t.Helper()
	for e := range s.follow(path+"?after=0", bearer) {
		if list = append(list, e); e["type"] == last {
			break
		}
	}
	return list
}
