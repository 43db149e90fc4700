package store_test

import (
	"encoding/json"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/action"
	"github.com/syncpayloads/syncpayloads/internal/live"
	"github.com/syncpayloads/syncpayloads/internal/store"
)

// What is stored is byte for byte what encoding/json writes of it, with every member of every type.
func TestDocuments(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		var l store.LedgerDoc
		var a action.Action
		var e live.Event
		for _, v := range []any{&l, &a, &e} {
			fill(r, reflect.ValueOf(v).Elem())
		}
		l.Device.Action, e.Served = nil, nil
		same(t, &l, store.LedgerText)
		same(t, &a, store.ActionText)
		same(t, &e, store.EventText)
	}
}

// A time that has no text is an error, and nothing is stored.
func TestDocumentOfImpossibleTime(t *testing.T) {
	if text, err := store.ActionText(&action.Action{Started: time.Date(12026, 1, 1, 0, 0, 0, 0,
		time.UTC)}); err == nil {
		t.Errorf("the year 12026 is written: %s", text)
	}
}

func same[T any](t *testing.T, v *T, text func(*T) (string, error)) {
	t.Helper()
	want, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := text(v); err != nil || got != string(want) {
		t.Fatalf("written %v\n%s\nwant\n%s", err, got, want)
	}
}

// fill gives a value something in every member, or, often enough, nothing.
func fill(r *rand.Rand, v reflect.Value) {
	if r.IntN(4) == 0 && v.Kind() != reflect.Struct && v.Kind() != reflect.Pointer {
		return
	}
	if v.Type() == reflect.TypeFor[time.Time]() {
		if r.IntN(3) > 0 {
			v.Set(reflect.ValueOf(time.Unix(r.Int64N(1<<33), r.Int64N(3)*1e8).UTC()))
		}
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		for _, field := range v.Fields() {
			fill(r, field)
		}
	case reflect.Pointer:
		if v.Type().Elem() != reflect.TypeFor[action.Action]() &&
			(v.Type() != reflect.TypeFor[*action.Result]() || r.IntN(2) == 0) {
			v.Set(reflect.New(v.Type().Elem()))
			fill(r, v.Elem())
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), r.IntN(3), 3))
		for i := range v.Len() {
			fill(r, v.Index(i))
		}
	case reflect.Array:
		for i := range v.Len() {
			fill(r, v.Index(i))
		}
	case reflect.String:
		v.SetString(strings.Repeat([]string{"plain", `"\`, "<&>", "ä\u2028", "\xff\x00\n",
			"~ "}[r.IntN(6)], r.IntN(3)))
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int64:
		v.SetInt(r.Int64() - 1<<62)
	case reflect.Uint8:
		v.SetUint(r.Uint64N(256))
	default:
		panic("what is stored has a member of a kind that is not tested: " + v.Type().String())
	}
}
