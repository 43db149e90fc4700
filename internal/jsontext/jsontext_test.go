package jsontext_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/cost"
	"github.com/syncpayloads/syncpayloads/internal/jsontext"
)

func FuzzAppendString(f *testing.F) {
	for _, s := range []string{"", "plain", `"\`, "<a href='&'>", "ä\u2028\u2029",
		"\x00\x1f\x7f\xff"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		defer cost.Input(t)()
		want, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		if got := jsontext.AppendString([]byte("before "),
			s); string(got) != "before "+string(want) {
			t.Errorf("%q becomes %s, want %s", s, got, want)
		}
	})
}

func TestAppendTime(t *testing.T) {
	zone := time.FixedZone("", -5*3600-30*60)
	for _, at := range []time.Time{{}, time.Unix(0, 0).UTC(), time.Unix(1, 120_000_000).In(zone),
		time.Unix(1<<40, 0).UTC()} {
		want, wrong := json.Marshal(at)
		got, err := jsontext.AppendTime(nil, at)
		if (err != nil) != (wrong != nil) || string(got) != string(want) {
			t.Errorf("%v becomes %s (%v), want %s (%v)", at, got, err, want, wrong)
		}
	}
}
