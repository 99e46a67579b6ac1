/** A pattern that is written, built and tested outside Heddle. */
package com.example.trishape;
