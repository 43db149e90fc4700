package console

import (
	"fmt"
	"time"
)

// moment is a time as a page shows it. The script writes it anew in the visitor's own time zone.
type moment struct {
	At  time.Time
	now time.Time
}

func (v *visit) moment(at time.Time) moment { return moment{at.UTC(), v.config.Now().UTC()} }

// Known is false for a time that there is not: never.
func (m moment) Known() bool { return !m.At.IsZero() }

// Machine is the time for the script.
func (m moment) Machine() string { return m.At.Format("2006-01-02T15:04:05.000Z") }

// Full is the time for those who have no script.
func (m moment) Full() string { return m.At.Format("2006-01-02 15:04:05 UTC") }

// Relative is how long ago it was, or how long it takes.
func (m moment) Relative() string {
	d := m.now.Sub(m.At)
	switch {
	case d < -time.Second:
		return "in " + roughly(-d)
	case d < 5*time.Second:
		return "just now"
	default:
		return roughly(d) + " ago"
	}
}

// units are what people count time in, beginning with the largest.
var units = []struct {
	length time.Duration
	name   string
}{{365 * 24 * time.Hour, "year"}, {24 * time.Hour, "day"}, {time.Hour, "hour"},
	{time.Minute, "minute"}, {time.Second, "second"}}

// roughly is a duration in its largest unit.
func roughly(d time.Duration) string {
	for _, u := range units {
		if n := int(d / u.length); n > 0 {
			return plural(n, u.name)
		}
	}
	return "less than a second"
}

// exactly is a duration in words, to the second, with at most two units.
func exactly(d time.Duration) string {
	for i, u := range units {
		n := int(d / u.length)
		if n == 0 {
			continue
		}
		text := plural(n, u.name)
		if i+1 < len(units) {
			if rest := int(d % u.length / units[i+1].length); rest > 0 {
				text += " " + plural(rest, units[i+1].name)
			}
		}
		return text
	}
	return "0 seconds"
}

// short is a duration for narrow places, such as +2.1 s.
func short(d time.Duration) string {
	switch {
	case d < time.Second:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	case d < 10*time.Second:
		return fmt.Sprintf("%.1f s", d.Seconds())
	case d < time.Minute:
		return fmt.Sprintf("%.0f s", d.Seconds())
	case d < time.Hour:
		return fmt.Sprintf("%d min %02d s", int(d.Minutes()), int(d.Seconds())%60)
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h %02d min", int(d.Hours()), int(d.Minutes())%60)
	default:
		return exactly(d)
	}
}

func plural(n int, name string) string {
	if n == 1 {
		return "1 " + name
	}
	return fmt.Sprintf("%d %ss", n, name)
}
