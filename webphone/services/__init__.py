"""What the phone in the page needs from the site, and what the site takes from it."""
