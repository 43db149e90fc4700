// Package walls holds the rooms of the house to what they may know of each other.
package walls

import (
	"cmp"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const (
	root   = "../.."
	module = "github.com/syncpayloads/syncpayloads/"
)

// imports are the packages of this module that each of its packages imports, tests apart.
func imports(t *testing.T) map[string][]string {
	t.Helper()
	all := make(map[string][]string)
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() && strings.HasPrefix(d.Name(), ".") && path != root {
			return cmp.Or(err, fs.SkipDir)
		}
		if d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		folder, err := filepath.Rel(root, filepath.Dir(path))
		if err != nil {
			return err
		}
		folder = filepath.ToSlash(folder)
		for _, i := range file.Imports {
			name, err := strconv.Unquote(i.Path.Value)
			if err != nil {
				return err
			}
			if own, ok := strings.CutPrefix(name, module); ok &&
				!slices.Contains(all[folder], own) {
				all[folder] = append(all[folder], own)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(all) < 20 {
		t.Fatalf("only %d packages import others", len(all))
	}
	return all
}

// platforms are the folders of platforms. A new one is added here.
var platforms = []string{"internal/apple", "internal/android", "internal/intune",
	"test/madeup"}

// users are who may import something of a platform beside the platform itself: the server, where
// everything meets, the store, which keeps what a channel declares, and programs and tests that run
// simulated devices.
var users = map[string][]string{
	"internal/server": {"internal/apple", "internal/apple/mdm", "internal/android",
		"internal/android/amapi", "internal/intune", "internal/intune/channel"},
	"internal/store": {"internal/apple/mdm", "internal/android/amapi", "internal/intune/channel",
		"internal/intune/tenant"},
	"cmd/syncpayloads": {"internal/apple/simulator", "internal/android/simulator"},
	"client/direct":    {"internal/intune/tenant"},
	"bench":            {"internal/apple/simulator"},
	"internal/server/servertest": {"internal/apple/simulator", "internal/android/amapi",
		"internal/android/simulator"},
	"bench/growth": {"internal/apple/simulator", "internal/android/amapi",
		"internal/android/payload", "internal/android/simulator"},
	"internal/platform": nil,
}

func within(folder, of string) bool { return folder == of || strings.HasPrefix(folder, of+"/") }

// Nothing but the platform itself imports a platform, and no platform another.
func TestPlatformsStandAlone(t *testing.T) {
	for importer, list := range imports(t) {
		for _, imported := range list {
			i := slices.IndexFunc(platforms, func(p string) bool { return within(imported, p) })
			if i < 0 || within(importer, platforms[i]) ||
				slices.Contains(users[importer], imported) {
				continue
			}
			t.Errorf("%s imports %s: only its platform may, and %v", importer, imported, users)
		}
	}
}

// Simulated devices know nothing of the server but its protocol, so that no test proves only that
// the two agree.
func TestSimulatedDevicesKnowOnlyTheProtocol(t *testing.T) {
	for importer, list := range imports(t) {
		if !strings.HasSuffix(importer, "/simulator") {
			continue
		}
		for _, imported := range list {
			if imported != "internal/cms" {
				t.Errorf("%s imports %s", importer, imported)
			}
		}
	}
}

// Only programs and tests run what is simulated.
func TestOnlyProgramsSimulate(t *testing.T) {
	for importer, list := range imports(t) {
		for _, imported := range list {
			simulated := strings.HasSuffix(imported, "/simulator") ||
				strings.Contains(imported, "/simulator/")
			if simulated && !within(importer, imported) && !within(importer, "cmd") &&
				!within(importer, "bench") && importer != "internal/server/servertest" {
				t.Errorf("%s imports %s: only programs and tests may", importer, imported)
			}
		}
	}
}

// may lists what the rooms that know no platform, and the leaves, may import. Who wants to add to
// it should look for another way first.
var may = map[string][]string{
	"internal/action": {"internal/plaintext"},
	"internal/audit":  {"internal/query"},
	"internal/catalog": {"internal/action", "internal/audit", "internal/fleet",
		"internal/invalid", "internal/query"},
	"internal/engine": {"internal/action", "internal/audit", "internal/backoff",
		"internal/catalog", "internal/fleet", "internal/live", "internal/plaintext"},
	"internal/fleet":   {"internal/plaintext", "internal/query"},
	"internal/keylock": {},
	"internal/keypair": {},
	"internal/live":    {"internal/action", "internal/fleet"},
	"internal/odata": {"internal/invalid", "internal/jsontext", "internal/plaintext",
		"internal/query"},
	"internal/platform": {"internal/access", "internal/action", "internal/audit",
		"internal/catalog", "internal/engine", "internal/fleet"},
	"internal/query": {},
	"internal/apple/payload": {"internal/action", "internal/apple/propertylist", "internal/catalog",
		"internal/cms", "internal/fleet", "internal/invalid"},
}

func TestRoomsImportOnlyWhatTheyMay(t *testing.T) {
	all := imports(t)
	for room, allowed := range may {
		for _, imported := range all[room] {
			if !slices.Contains(allowed, imported) {
				t.Errorf("%s imports %s", room, imported)
			}
		}
	}
	// The API and a channel never know each other, and nobody but the programs knows the server.
	for importer, list := range all {
		for _, imported := range list {
			switch {
			case imported == "internal/server" && !within(importer, "cmd") &&
				!within(importer, "bench") && !within(importer, "internal/server"),
				within(importer, "internal/graph") &&
					(within(imported, "internal/console") || within(imported, "internal/store")),
				within(importer, "internal/console") &&
					(imported == "internal/graph" || imported == "internal/engine" ||
						within(imported, "internal/store")),
				within(importer, "internal/apple") &&
					(within(imported, "internal/graph") || within(imported, "internal/console")):
				t.Errorf("%s imports %s", importer, imported)
			}
		}
	}
}

// platformless are the rooms in which no platform has a name.
var platformless = []string{"internal/action", "internal/catalog", "internal/engine",
	"internal/live", "internal/odata", "internal/platform",
	"internal/query", "internal/store/sqldb"}

// word is a platform's word, in names and in prose: its maker's, its systems', its devices', its
// management's.
var word = regexp.MustCompile(`(?i)\b(apple|apples|ios|ipados|macos|tvos|iphone|iphones|ipad|ipads|mac|macs|android|intune|mdm|plist|` +
	`mobileconfig|syncml|amapi|kettle|kettles)\b|\bWindows\b|\b(?:Apple|IOS|IPadOS|MacOS|TVOS|Android|MDM|Plist)[A-Z0-9]|[a-z](?:Apple|IOS|IPadOS|MacOS|TVOS|Android|Intune|Plist)`)

// named are the files that may name a platform in rooms whose other files must not: a platform's own
// pages, the one list of these, and Graph's vocabulary. What else is said of a platform there, it says
// itself (platform.Description, fleet.Kind, catalog.Form).
var named = map[string][]string{
	"internal/console/*.go": {"android.go", "android_health.go", "android_token.go", "push.go",
		"platform_pages.go"},
	"internal/console/templates/*.html": {"_android.html", "android.html", "android_revoke.html",
		"android_signup.html", "android_token.html", "push.html"},
	"internal/graph/device*.go": {"device_vocabulary.go"},
}

// makers are platform's words that are no word in lower case: import paths have them.
var makers = regexp.MustCompile(`\bGoogle\b`)

func TestOnlyOwnFilesNameAPlatform(t *testing.T) {
	for pattern, own := range named {
		files, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil || len(files) < 8 {
			t.Fatalf("%s: %d files, %v", pattern, len(files), err)
		}
		for _, name := range own {
			if !slices.Contains(files, filepath.Join(root, filepath.Dir(pattern), name)) {
				t.Errorf("%s: there is no %s", pattern, name)
			}
		}
		for _, file := range files {
			if strings.HasSuffix(file, "_test.go") || slices.Contains(own, filepath.Base(file)) {
				continue
			}
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			for i, line := range strings.Split(string(text), "\n") {
				for _, words := range []*regexp.Regexp{word, makers} {
					if found := words.FindString(line); found != "" {
						t.Errorf("%s:%d: %q: %s", file, i+1, found, strings.TrimSpace(line))
					}
				}
			}
		}
	}
}

func TestNoPlatformsWord(t *testing.T) {
	looked := 0
	for _, room := range platformless {
		files, err := filepath.Glob(filepath.Join(root, room, "*.go"))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			if strings.HasSuffix(file, "_test.go") {
				continue
			}
			looked++
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			for i, line := range strings.Split(string(text), "\n") {
				if found := word.FindString(line); found != "" {
					t.Errorf("%s:%d: %q: %s", file, i+1, found, strings.TrimSpace(line))
				}
			}
		}
	}
	if looked < 30 {
		t.Errorf("only %d files were looked at", looked)
	}
}
