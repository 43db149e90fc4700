package sqldb

import (
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// patienceSetting says in the URL of a PostgreSQL database how long a lock and a connection are
// waited for, as 10s. An answer is waited for twice as long. Then the call fails, and can be made
// again. PostgreSQL takes the setting along as one of ours.
const patienceSetting = "syncpayloads.patience"

const (
	defaultPatience = 10 * time.Second
	leastPatience   = 100 * time.Millisecond
	mostPatience    = 10 * time.Minute
	answerPatience  = 2 // as many times is an answer waited for
)

// patienceOf is how long a lock and a connection are waited for.
func patienceOf(config *pgx.ConnConfig) (time.Duration, error) {
	text, ok := config.RuntimeParams[patienceSetting]
	if !ok {
		return defaultPatience, nil
	}
	d, err := time.ParseDuration(text)
	if err != nil || d < leastPatience || d > mostPatience {
		return 0,
			fmt.Errorf("the URL of the database: %s is %q, and must be a time from %s to %s, such as 3s",
				patienceSetting, text, leastPatience, mostPatience)
	}
	return d, nil
}
