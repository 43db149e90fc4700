package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/google/uuid"
	"google.golang.org/api/androidmanagement/v1"
)

// copiedList is Google with the copies in its list of devices: each reports what its pattern does.
type copiedList struct {
	google http.Handler
	names  []string // of the copies
	report androidmanagement.Device
}

func (l *copiedList) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if len(l.names) == 0 || r.Method != http.MethodGet ||
		!strings.HasSuffix(r.URL.Path, "/devices") {
		l.google.ServeHTTP(w, r)
		return
	}
	from, _ := strconv.Atoi(r.URL.Query().Get("pageToken")) // empty: from the first
	to := min(from+pageSize, len(l.names))
	answer := androidmanagement.ListDevicesResponse{}
	for _, name := range l.names[from:to] {
		d := l.report
		d.Name = name
		answer.Devices = append(answer.Devices, &d)
	}
	if to < len(l.names) {
		answer.NextPageToken = strconv.Itoa(to)
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(answer) // who asked may have gone
}

// androidCopied are the tables of which a copy has rows, and what tells its rows from its
// pattern's.
var androidCopied = []struct {
	table, device string // the column that names the device
	differs       map[string]string
}{
	{"devices", "id", map[string]string{"id": "c.id", "serial_number": "c.serial",
		"udid": "'android-serial-' || c.serial", "name": "'Phone ' || c.serial",
		"synced": "c.number"}},
	{"ledgers", "device_id", nil},
	{"actions", "device_id", map[string]string{"id": "substr(c.id, 1, 24) || substr(p.id, 25)",
		"doc": "replace(p.doc, p.id, substr(c.id, 1, 24) || substr(p.id, 25))"}},
	{"removals", "device_id", nil},
	{"events", "device_id", map[string]string{"doc": "replace(p.doc, c.pattern, c.id)"}},
	{"android_enrollments", "device_id", map[string]string{"name": "c.name",
		"udid": "'android-serial-' || c.serial"}},
	{"android_postings", "enrollment", map[string]string{"enrollment": "c.name"}},
}

// copyAll copies the real devices in the database until there are as many as there shall be.
func (s *androidSite) copyAll(ctx context.Context) error {
	read, err := s.channel.Enterprise(ctx)
	if err == nil {
		err = s.closeStore()
	}
	if err != nil {
		return err
	}
	db, err := sql.Open("sqlite3", "file:"+s.path+"?_pragma=synchronous(OFF)")
	if err != nil {
		return err
	}
	db.SetMaxOpenConns(1)
	if err := s.copyRows(ctx, db, read.Name); err != nil {
		return errors.Join(err, db.Close())
	}
	if err := db.Close(); err != nil {
		return err
	}
	return s.open(ctx)
}

func (s *androidSite) copyRows(ctx context.Context, db *sql.DB, enterprise string) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() //nolint:errcheck // of a transaction that was committed
	texts := []string{`CREATE TEMPORARY TABLE copies (number INTEGER PRIMARY KEY, id TEXT,
		serial TEXT, name TEXT, pattern TEXT, pattern_name TEXT)`}
	s.list.names = nil
	for done := realDevices; done < s.size; {
		var rows []string
		for ; done < s.size && len(rows) < inOneText; done++ {
			name := fmt.Sprintf("%s/devices/c%09d", enterprise, done)
			s.list.names = append(s.list.names, name)
			rows = append(rows, fmt.Sprintf("(%d, '%s', 'COPY%d', '%s', '%s', '%s')",
				done+1_000_000, uuid.NewString(), done, name, s.ids[done%realDevices],
				s.devices[done%realDevices].Name()))
		}
		texts = append(texts, "INSERT INTO copies VALUES "+strings.Join(rows, ", "))
	}
	for _, d := range s.devices {
		s.list.names = append(s.list.names, d.Name())
	}
	slices.Sort(s.list.names)
	for _, one := range androidCopied {
		text, err := androidCopyText(ctx, tx, one.table, one.device, one.differs)
		if err != nil {
			return err
		}
		texts = append(texts, text)
	}
	// No list is due but the one that is measured.
	texts = append(texts, "DROP TABLE copies",
		"INSERT INTO leases (name, holder, until) VALUES ('android/list', 'growth', 1 << 60)")
	for _, text := range texts {
		if _, err := tx.ExecContext(ctx, text); err != nil {
			return fmt.Errorf("%w in: %.300s", err, text)
		}
	}
	return tx.Commit()
}

// androidCopyText is the statement that copies the rows of a table.
func androidCopyText(ctx context.Context, tx *sql.Tx, table, device string,
	differs map[string]string) (string, error) {
	found, err := tx.QueryContext(ctx, "SELECT name FROM pragma_table_info(?)", table)
	if err != nil {
		return "", err
	}
	defer found.Close() //nolint:errcheck // it is read to its end
	var columns, values []string
	for found.Next() {
		var name string
		if err := found.Scan(&name); err != nil {
			return "", err
		}
		if name == "position" { // the next one
			continue
		}
		value := "p." + name
		if other := differs[name]; other != "" {
			value = other
		} else if name == device {
			value = "c.id"
		}
		columns, values = append(columns, name), append(values, value)
	}
	pattern := "c.pattern"
	if device == "enrollment" {
		pattern = "c.pattern_name"
	}
	return fmt.Sprintf("INSERT INTO %s (%s) SELECT %s FROM copies c JOIN %s p ON p.%s = %s",
		table, strings.Join(columns, ", "), strings.Join(values, ", "), table, device,
		pattern), found.Err()
}
