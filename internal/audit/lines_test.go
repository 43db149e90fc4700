package audit_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/syncpayloads/syncpayloads/internal/audit"
	"github.com/syncpayloads/syncpayloads/internal/cost"
)

// exported is a record as a file.
func exported(t testing.TB, list []audit.Entry) []byte {
	t.Helper()
	var file bytes.Buffer
	for i := range list {
		if err := audit.WriteLine(&file, &list[i]); err != nil {
			t.Fatal(err)
		}
	}
	return file.Bytes()
}

func verifyFile(file []byte, expect audit.Head) (audit.Head, error) {
	v := audit.Verifier{Part: true, Expect: expect}
	if err := audit.ReadLines(bytes.NewReader(file), v.Add); err != nil {
		return audit.Head{}, err
	}
	return v.End(nil)
}

func TestExportedRecord(t *testing.T) {
	path := newRecord(t, lastEntry)
	head, list := mustVerify(t, path), entries(t, path)
	file := exported(t, list)
	for name, tt := range map[string]struct {
		file   []byte
		expect audit.Head
		says   string // empty: it is whole
	}{
		"whole":           {file, head, ""},
		"with CRLF":       {bytes.ReplaceAll(file, []byte("\n"), []byte("\r\n")), head, ""},
		"from the middle": {exported(t, list[3:]), head, ""},
		"behind a noted head": {exported(t, list[3:]), audit.Head{Sequence: 3, Hash: list[2].Hash},
			""},
		"behind another head": {exported(t, list[3:]), audit.Head{Sequence: 3, Hash: list[1].Hash},
			"entry 3 is not the one"},
		"after a noted head": {exported(t, list[3:]), audit.Head{Sequence: 2, Hash: list[1].Hash},
			"cannot show entry 2"},
		"the end missing": {exported(t, list[:5]), head, "entry 6 is missing at the end"},
		"nothing":         {nil, head, "entries 1 to 6 are missing at the end"},
		"one missing": {bytes.Join([][]byte{exported(t, list[:2]), exported(t, list[3:])},
			nil), audit.Head{}, "entry 3 is missing"},
		"one twice": {bytes.Join([][]byte{exported(t, list[:2]), exported(t, list[1:])},
			nil), audit.Head{}, "entry 2 is out of its place"},
		"half a line": {file[:len(file)-20], audit.Head{}, "line 6"},
		"another property": {bytes.Replace(file, []byte(`"sequence":4`),
			[]byte(`"sequence":4,"note":"x"`), 1), audit.Head{}, "line 4"},
		"a property twice": {bytes.Replace(file, []byte(`"sequence":4`),
			[]byte(`"sequence":4,"sequence":4`), 1), audit.Head{}, "line 4"},
		"another letter case": {bytes.Replace(file, []byte(`"sequence":4`), []byte(`"Sequence":4`),
			1), audit.Head{}, "line 4"},
		"a finer time": {bytes.Replace(file, []byte(`.123456Z`), []byte(`.1234567Z`), 1),
			audit.Head{}, "line 1"},
		"two on a line": {bytes.Replace(file, []byte("\n"), nil, 1), audit.Head{}, "line 1"},
	} {
		got, err := verifyFile(tt.file, tt.expect)
		switch {
		case tt.says == "" && (err != nil || got.String() != head.String()):
			t.Errorf("%s: %s, %v", name, got, err)
		case tt.says != "" && (err == nil || !strings.Contains(err.Error(), tt.says)):
			t.Errorf("%s: found %v", name, err)
		}
	}
}

func TestEveryByteOfAnExportedRecordIsCovered(t *testing.T) {
	file := exported(t, entries(t, newRecord(t, 3)))
	for i := range file {
		for _, flip := range []byte{1, 0x20, 0x80} {
			edited := bytes.Clone(file)
			edited[i] ^= flip
			if _, err := verifyFile(edited, audit.Head{}); err == nil {
				t.Fatalf("byte %d: %q became %q, not found", i, file[i], edited[i])
			}
		}
	}
}

func TestParseHead(t *testing.T) {
	head := mustVerify(t, newRecord(t, 2))
	if got, err := audit.ParseHead(head.String()); err != nil || got.String() != head.String() {
		t.Errorf("got %s, %v", got, err)
	}
	for _, text := range []string{"", ":", "0:", "2", "2:", "x" + head.String(),
		head.String() + "0", head.String() + "00",
		strings.Replace(head.String(), ":", "", 1), "-" + head.String(), "0" + head.String()[1:]} {
		if got, err := audit.ParseHead(text); err == nil {
			t.Errorf("%q is read as %s", text, got)
		}
	}
}

// FuzzReadLines holds that no file panics, and that what is read is written again as it was
// understood.
func FuzzReadLines(f *testing.F) {
	file := exported(f, entries(f, newRecord(f, 3)))
	f.Add(file)
	f.Add(bytes.SplitAfter(file, []byte("\n"))[1])
	for _, text := range []string{"", "{}", "null", "[]\n{}",
		`{"sequence":1,"objects":[{}],"hash":""}`, `{"objects":null}`,
		`{"sequence":9223372036854775807,"objects":[]}`, "\n\n",
		`{"at":"0000-01-01T00:00:00Z","objects":[]}`} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		defer cost.Input(t)()
		var list []audit.Entry
		v := audit.Verifier{Part: true}
		err := audit.ReadLines(bytes.NewReader(file), func(e *audit.Entry) error {
			list = append(list, *e)
			return v.Add(e)
		})
		var b *audit.Broken
		if len(list) == 0 || err != nil && !errors.As(err, &b) {
			return
		}
		again := audit.Verifier{Part: true}
		n := 0
		errAgain := audit.ReadLines(bytes.NewReader(exported(t, list)), func(e *audit.Entry) error {
			n++
			return again.Add(e)
		})
		if n != len(list) || (errAgain == nil) != (err == nil) {
			t.Fatalf("%d entries with %v became %d with %v", len(list), err, n, errAgain)
		}
	})
}
