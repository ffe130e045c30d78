"""What pages say of an alert."""

from django import template

from notifications.words import link_of, sentence_of

register = template.Library()

register.filter("sentence_of", sentence_of)
register.filter("link_of", link_of)
